import pytest

from harness.model.errors import UsageError
from harness.prove.registry import PLANTED_BUGS
from harness.prove.selection import select
from harness.recording.proof_folder import KEPT_SCOPES


def test_the_whole_has_everything_and_three_faithful_runs() -> None:
    """--controls sets another number of faithful runs."""
    whole = select(quick=False, only=(), controls=None)
    assert whole.scope == "whole"
    assert [bug.name for bug in whole.bugs] == [*PLANTED_BUGS.names, "faithful-01", "faithful-02", "faithful-03"]
    assert len(select(quick=False, only=(), controls=20).bugs) == len(PLANTED_BUGS.names) + 20


def test_quick_has_its_part_and_one_faithful_run() -> None:
    """The bugs that are marked as quick are in the order of the registry."""
    quick = select(quick=True, only=(), controls=None)
    assert quick.scope == "quick"
    assert [bug.name for bug in quick.bugs] == [*(bug.name for bug in PLANTED_BUGS if bug.quick), "faithful-01"]


def test_only_chooses_by_name() -> None:
    """The bugs are in the requested order, each once. A faithful run has a name too."""
    chosen = select(quick=False, only=("twice", "lose-one", "twice", "faithful-01"), controls=None)
    assert [bug.name for bug in chosen.bugs] == ["twice", "lose-one", "faithful-01"]


def test_quick_and_only_do_not_go_together() -> None:
    with pytest.raises(UsageError, match="expected one of the two"):
        select(quick=True, only=("twice",), controls=None)


@pytest.mark.parametrize("quick", [True, False])
def test_without_a_faithful_run_it_is_no_whole_proof(quick: bool) -> None:
    """Such a proof does not show that the harness passes a right server. So it is not noted as the proof of this
    version."""
    assert select(quick=quick, only=(), controls=0).scope not in KEPT_SCOPES


def test_an_unknown_name_is_a_usage_error() -> None:
    """The message lists all names that can be chosen."""
    with pytest.raises(UsageError, match=r"--only no-such-bug: expected one of lose-one"):
        select(quick=False, only=("no-such-bug",), controls=None)
