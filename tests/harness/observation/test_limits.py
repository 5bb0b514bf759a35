"""The limits that this machine sets for a run."""

from pathlib import Path

import pytest

from harness.observation.limits import GroupLimits, group_limits, read_limits


def _group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / name.replace("_", ".")).write_text(text + "\n")


def test_the_tightest_control_group_on_the_way_up_decides(tmp_path: Path) -> None:
    """Any group above a process may have a limit. The smallest limit of each kind counts."""
    _group(tmp_path / "a", cpu_max="150000 100000", memory_max="1000", memory_current="400")
    _group(tmp_path / "a" / "b", cpu_max="max 100000", memory_max="900", memory_current="100")
    found = group_limits(tmp_path, "0::/a/b")
    assert found == GroupLimits(cores=1.5, memory_available_bytes=600)


def test_a_group_that_uses_more_than_its_limit_leaves_nothing(tmp_path: Path) -> None:
    """The result is never negative. The two files are read at different moments."""
    _group(tmp_path / "a", memory_max="100", memory_current="101")
    assert group_limits(tmp_path, "0::/a").memory_available_bytes == 0


@pytest.mark.parametrize("membership", ["", "12:cpu:/a", "0::/not/there"])
def test_without_version_2_there_are_no_group_limits(tmp_path: Path, membership: str) -> None:
    """On other systems and older kernels only the machine's own limits count."""
    assert group_limits(tmp_path, membership) == GroupLimits()


def test_limits_are_read_for_a_folder_that_does_not_exist_yet(tmp_path: Path) -> None:
    """The results folder may not exist yet. The disk of the nearest existing folder counts."""
    limits = read_limits(tmp_path / "not" / "yet")
    assert limits.cores >= 1
    assert limits.disk_free_bytes > 0
    assert limits.memory_available_bytes > 0
