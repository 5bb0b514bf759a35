"""The command line without what most runs of the tests do not look at: ``python -m tests.end_to_end.quick_harness run …``.

The report has no figures, and the machine's speed is measured for a short time: together these are half of what a small
run costs. Both have tests of their own, and some runs from one end to the other are made by the command line itself.
"""

from functools import partial

from harness import preflight
from harness.cli import main
from harness.report.page import files
from harness.report.plots.figures import Drawings

if __name__ == "__main__":
    files.drawings = lambda verdict, events: Drawings(drawn=(), missing=())
    preflight.calibrate = partial(preflight.calibrate, 0.05)
    main()
