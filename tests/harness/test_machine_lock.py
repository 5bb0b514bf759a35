import pytest

from harness.machine_lock import hold_machine
from harness.model.errors import EnvironmentFailure


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Keeps the locks of these tests apart from the lock of a real run."""
    monkeypatch.setattr("harness.machine_lock.machine_folder", lambda: tmp_path)


def test_a_second_run_is_told_who_holds_the_machine() -> None:
    """The second run is refused. The message gives the pid of the first run and what to do."""
    with (
        hold_machine(forced=False),
        pytest.raises(EnvironmentFailure, match=r"process \d+.*--force"),
        hold_machine(forced=False),
    ):
        pass


def test_force_goes_on_beside_another_run() -> None:
    """--force is for users who accept disturbed figures."""
    with hold_machine(forced=False), hold_machine(forced=True):
        pass


def test_the_turn_ends_with_the_run() -> None:
    """A run releases the machine lock at its end, also after an error."""
    with pytest.raises(ZeroDivisionError), hold_machine(forced=False):
        raise ZeroDivisionError
    with hold_machine(forced=False):
        pass
