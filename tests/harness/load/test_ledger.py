"""The ledger's file."""

from pathlib import Path

import numpy as np

from harness.load.ledger import Ledger
from harness.planning.arrivals import schedule
from harness.recording.format import ACKNOWLEDGED, POST, UNSENT
from tests.harness.plans import a_plan


def test_it_is_whole_on_disk_at_every_moment(tmp_path: Path) -> None:
    """The file has one row for each message of the schedule. What is flushed is readable before the file is closed."""
    timetable = schedule(a_plan())
    path = tmp_path / "posts.npy"
    ledger = Ledger(path, timetable)
    rows = np.load(path)
    assert (rows.dtype, len(rows)) == (POST, len(timetable))
    for column, planned in (("phase", timetable.phase), ("server", timetable.server), ("channel", timetable.channel)):
        assert (rows[column] == planned).all()
    assert (rows["outcome"] == UNSENT).all()

    ledger.outcome[2], ledger.seq[2], ledger.http_status[2] = ACKNOWLEDGED, 7, 200
    ledger.intended_ns[2], ledger.sent_ns[2], ledger.answered_ns[2] = 10, 11, 12
    ledger.server[2] = 1
    ledger.flush()
    row = np.load(path)[2]
    assert [row[name] for name in ("outcome", "seq", "http_status", "server")] == [ACKNOWLEDGED, 7, 200, 1]
    assert [row[name] for name in ("intended_ns", "sent_ns", "answered_ns")] == [10, 11, 12]
