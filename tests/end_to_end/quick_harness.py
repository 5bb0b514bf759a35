"""The command line for runs of the tests: ``python -m tests.end_to_end.quick_harness run …``.

The report has no figures, and the calibration of the machine is short. Together these two take half the time of a small
run. Both have tests of their own, and some end-to-end runs use the real command line. The machine lock is in the
temporary folder, so runs with different temporary folders can run side by side.
"""

import tempfile
from functools import partial
from pathlib import Path

from harness import machine_lock, preflight
from harness.cli import main
from harness.report.page import files
from harness.report.plots.figures import Drawings

if __name__ == "__main__":
    files.drawings = lambda verdict, events: Drawings(drawn=(), missing=())
    preflight.calibrate = partial(preflight.calibrate, 0.05)
    machine_lock.machine_folder = lambda: Path(tempfile.gettempdir())
    main()
