"""A message that another server receives before the committing server knows of its COMMIT."""

import dataclasses
from pathlib import Path
from unittest import mock

import pytest

from harness.model.status import Status
from tests.harness.recordings import MS, HandMade, finding


@pytest.mark.parametrize(
    ("backplane", "settings", "status"),
    [
        ("redis", (), Status.FAIL),
        ("postgres-notify", (("inside_transaction", False),), Status.FAIL),
        ("postgres-notify", (("inside_transaction", True),), Status.PASS),
        ("postgres-poll", (("interval_ms", 50.0),), Status.PASS),
    ],
)
def test_only_postgresql_itself_may_show_a_message_so_early(
    tmp_path: Path, backplane: str, settings: tuple[tuple[str, object], ...], status: Status
) -> None:
    """A server publishes to such a backplane after COMMIT, so an earlier receipt is a bug. A message that PostgreSQL
    itself shows is committed, even if the answer to COMMIT arrives later."""
    run = HandMade(changes={"backplane": backplane, "backplane_settings": settings})
    for _ in range(300):
        run.post(0)
    recording = run.recording(tmp_path)
    early = {server: rows.copy() for server, rows in recording.delivered.items()}
    for rows in early.values():
        rows["received_ns"] -= 4 * MS
    recording = dataclasses.replace(recording, delivered=early)
    with mock.patch.object(HandMade, "recording", return_value=recording):
        assert finding(run.verdict(tmp_path), "commit-order").status is status
