"""The runs that a report draws beside its own run."""

from dataclasses import dataclass

from harness.model.comparison import Difference
from harness.model.finding import Verdict


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseRun:
    """One run, or a group of runs of one plan, by the ``name`` in the request. ``verdicts``: of the runs whose curves
    still exist, at least one. ``differences`` forbid a comparison: parts of the plan or of the machine; ``noted`` ones
    may differ.
    """

    name: str
    verdicts: tuple[Verdict, ...]
    differences: tuple[Difference, ...] = ()
    noted: tuple[Difference, ...] = ()
