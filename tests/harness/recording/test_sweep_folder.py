from pathlib import Path

import pytest

from harness.model.errors import UsageError
from harness.model.sweep_plan import Curve, Member, SweepPlan
from harness.recording.sweep_folder import (
    create_member_folder,
    create_sweep_folder,
    is_sweep_folder,
    member_folder,
    read_sweep,
)
from harness.recording.writer import create_folder
from tests.harness.plans import a_plan

MEMBER = Member(order=1, curve=Curve.WEAK, repetition=1, plan=a_plan(), predicted_s=10.0)
SWEEP = SweepPlan(
    members=(MEMBER,),
    widest=a_plan(),
    server_counts=(2,),
    clients_per_server=2,
    weak_rate_per_server_hz=5.0,
    repeat=1,
    predicted_s=10.0,
)


def test_a_sweep_is_read_as_it_was_written(tmp_path: Path) -> None:
    """The folder of a sweep has no rows of its own, because they are in its runs."""
    folder = create_sweep_folder(tmp_path, SWEEP)
    assert is_sweep_folder(folder)
    assert read_sweep(folder) == SWEEP
    assert sorted(path.name for path in folder.iterdir()) == ["plan.json", "runs"]


def test_a_run_of_a_sweep_is_a_recording_of_its_own(tmp_path: Path) -> None:
    folder = create_sweep_folder(tmp_path, SWEEP)
    made = create_member_folder(folder, MEMBER)
    assert made == member_folder(folder, MEMBER) == folder / "runs" / "01-weak-2x1"
    assert not is_sweep_folder(made)


def test_a_single_run_is_no_sweep(tmp_path: Path) -> None:
    folder = create_folder(tmp_path, a_plan())
    assert not is_sweep_folder(folder)
    with pytest.raises(UsageError, match="expected a sweep's folder"):
        read_sweep(folder)


def test_a_folder_without_a_plan_holds_no_run(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected a run's folder"):
        is_sweep_folder(tmp_path)
