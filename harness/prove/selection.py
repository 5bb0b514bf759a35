"""The planted bugs and controls of a proof."""

from collections.abc import Sequence
from dataclasses import dataclass

from harness.model.errors import UsageError
from harness.prove.bugs.controls import faithful
from harness.prove.planted_bug import PlantedBug
from harness.prove.registry import PLANTED_BUGS

FAITHFUL_RUNS = 3
FAITHFUL_RUNS_QUICK = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    scope: str
    bugs: tuple[PlantedBug, ...]


def select(*, quick: bool, only: Sequence[str], controls: int | None) -> Selection:
    """``controls`` is the number of control runs of a correct server; None: 3, or 1 with ``quick``. Raises UsageError
    for a name that is unknown."""
    runs = controls if controls is not None else FAITHFUL_RUNS_QUICK if quick else FAITHFUL_RUNS
    faithful_runs = tuple(faithful(number) for number in range(1, runs + 1))
    if only:
        if quick:
            raise UsageError("--quick with --only: expected one of the two; --only chooses by name")
        known = {bug.name: bug for bug in (*PLANTED_BUGS, *faithful_runs)}
        if unknown := [name for name in only if name not in known]:
            raise UsageError(f"--only {unknown[0]}: expected one of {', '.join(known)}")
        return Selection(scope=", ".join(only), bugs=tuple(known[name] for name in dict.fromkeys(only)))
    scope = "quick" if quick else "whole"
    chosen = tuple(bug for bug in PLANTED_BUGS if bug.quick or not quick)
    # Without a run of a correct server nothing shows that the harness passes correct systems: such a proof gets no
    # note.
    return Selection(scope=scope if runs else f"{scope}, no faithful run", bugs=(*chosen, *faithful_runs))
