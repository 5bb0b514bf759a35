"""There is one measured window, and every check uses it."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness.checks.evidence.measured_window import measured_window
from tests.harness.recordings import MS, START_NS, HandMade


@pytest.mark.parametrize(("ended", "posts", "end_ms"), [("complete", 3, 30), ("casualty", 3, 21), ("", 0, 10)])
def test_the_window_ends_with_the_last_post_of_a_run_that_ended_early(
    tmp_path: Path, ended: str, posts: int, end_ms: int
) -> None:
    """Messages that were never sent cannot be measured. A run without a ledger keeps the planned window."""
    run = HandMade(ended=ended)
    for _ in range(posts):
        run.post(0)
    begin_ns = START_NS + int(run.plan.warm_up_s * 1e9)
    found = measured_window(run.recording(tmp_path))
    assert found == (begin_ns, max(begin_ns, START_NS + end_ms * MS) if ended == "casualty" else begin_ns + end_ms * MS)


def test_without_a_schedule_there_is_none(tmp_path: Path) -> None:
    """The run ended before its schedule began."""
    recording = replace(HandMade().recording(tmp_path), events=())
    assert measured_window(recording) == (0, 0)
