"""The row files of a load worker, and the live figures from their rows."""

import json
from pathlib import Path

import numpy as np

from harness.load.client import Client
from harness.load.engine.job import Report
from harness.load.frames import FrameTable
from harness.load.protocol.dialogue import Dialogue
from harness.load.reached_pairs import ReachedPairs
from harness.load.worker_rows import WorkerRows
from harness.model.incident import IncidentKind
from harness.model.message import channel_name, message_text
from harness.planning.arrivals import schedule
from harness.protocol.chat import Chat
from tests.harness.plans import a_plan

PLAN = a_plan()
SCHEDULE = schedule(PLAN)
NAMES = ("deliveries-00.npy", "frames-00.npy", "sessions-00.npy")


def message(number: int) -> bytes:
    text = message_text(PLAN.run_id, number, PLAN.text_bytes)
    return json.dumps({"type": "message", "channel": channel_name(PLAN.run_id, 0), "seq": 1, "text": text}).encode()


def test_deliveries_frames_and_sessions(tmp_path: Path) -> None:
    """Probes give the number of clients that saw one, and measured messages give latencies. The files hold every row
    once."""
    report = Report()
    frames = FrameTable(PLAN, len(SCHEDULE), Chat().classify)
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    rows = WorkerRows(tmp_path, 0, frames=frames, schedule=SCHEDULE, reached=reached, report=report)

    def deliver(client: int, number: int, at_ns: int) -> None:
        mark = frames.mark(b"frame %d" % number, message(number))
        assert isinstance(mark, int)
        rows.sink.append(client | mark)
        rows.sink.append(at_ns)

    deliver(0, 0, 100)
    deliver(1, 0, 100)
    deliver(1, 0, 110)
    assert rows.delivered == 3
    rows.flush()
    assert (report.probed, report.latencies_ms, rows.delivered) == (2, (), 3)
    assert report.reached == 2, "client 1 had the same message twice"

    rows.start(1_000_000_000)
    measured = PLAN.channels + 2
    due_ns = 1_000_000_000 + int(SCHEDULE.offset_ns[measured])
    deliver(2, measured, due_ns + 5_000_000)
    rows.incidents.note(IncidentKind.BINARY, "planted")
    client = Client(2, 1, Dialogue("c", Chat()), rows.sink, lambda client: None)
    client.close_code, client.connected_ns, client.subscribed_ns = 1012, 10, 20
    rows.end_session(client)
    rows.close()
    assert report.latencies_ms == (5.0,)
    assert [
        each["reason"] for each in json.loads((tmp_path / "incidents-worker-00.json").read_text())["incidents"]
    ] == ["planted"]
    deliveries, frame_rows, sessions = (np.load(tmp_path / name) for name in NAMES)
    assert deliveries["client"].tolist() == [0, 1, 1, 2]
    assert deliveries["frame"].tolist() == [0, 0, 0, 1]
    assert frame_rows["message"].tolist() == [0, measured]
    assert sessions[["client", "server", "close_code", "connected_ns", "subscribed_ns"]].tolist() == [
        (2, 1, 1012, 10, 20)
    ]
