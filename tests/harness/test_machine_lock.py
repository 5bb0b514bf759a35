import pytest

from harness.machine_lock import hold_machine
from harness.model.errors import EnvironmentFailure


@pytest.fixture(autouse=True)
def _own_folder(tmp_path, monkeypatch):
    """Locks of these tests live apart from those of a real run beside them."""
    monkeypatch.setattr("harness.machine_lock.machine_folder", lambda: tmp_path)


def test_a_second_run_is_told_who_holds_the_machine() -> None:
    """While one run holds the machine, another is refused with the first one's process and what to do."""
    with (
        hold_machine(forced=False),
        pytest.raises(EnvironmentFailure, match=r"process \d+.*--force"),
        hold_machine(forced=False),
    ):
        pass


def test_force_goes_on_beside_another_run() -> None:
    """--force is for people who know what they do."""
    with hold_machine(forced=False), hold_machine(forced=True):
        pass


def test_the_turn_ends_with_the_run() -> None:
    """A finished run leaves the machine free, even when it ended by an error."""
    with pytest.raises(ZeroDivisionError), hold_machine(forced=False):
        raise ZeroDivisionError
    with hold_machine(forced=False):
        pass
