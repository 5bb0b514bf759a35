"""The command line for runs of the tests: ``python -m tests.end_to_end.quick_harness run …``.

The report has no figures, and the machine's speed is measured for a short time: together these are half of what a small
run costs. Both have tests of their own, and some runs from one end to the other are made by the command line itself. The
machine's lock is in the temporary folder, so that runs side by side with folders of their own do not meet.
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
