"""The publisher without a network: what the ledger records of each post, and what is sent to which server."""

import asyncio
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.load import publisher as module
from harness.load.engine.job import Action, Command, Job, Report
from harness.load.post_pool import PostPool
from harness.load.protocol.http_post import PostConnection
from harness.load.publisher import Publisher
from harness.model.cluster import ServerAddress
from harness.model.message import channel_name, message_text
from harness.planning.arrivals import schedule
from harness.recording.format import ACKNOWLEDGED, INDETERMINATE, REJECTED, UNSENT
from tests.harness.plans import a_plan

PLAN = a_plan(servers=2, clients=4, audience=2, rate_hz=1000.0, duration_s=0.01)
SERVERS = tuple(ServerAddress(name=f"server-{number}", host="127.0.0.1", port=number) for number in (1, 2))


def answer(status: int, **fields: object) -> bytes:
    body = json.dumps(fields).encode()
    return b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)


def accepted(message: int, seq: object, **changes: object) -> bytes:
    channel = channel_name(PLAN.run_id, int(schedule(PLAN).channel[message]))
    return answer(200, **({"ok": True, "channel": channel, "seq": seq, "duplicate": False} | changes))


def incidents(folder: Path) -> dict[tuple[str, str], int]:
    """The number of incidents by kind and reason."""
    found = json.loads((folder / "incidents-publisher.json").read_text())["incidents"]
    return {(each["kind"], each["reason"]): each["count"] for each in found}


class Posts:
    """A stand-in for every connection. ``answers(message)`` returns the bytes of the answer, or None for a lost
    connection."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, answers: Callable[[int], bytes | None]) -> None:
        self.requests: dict[int, tuple[int, bytes]] = {}
        self.answers = answers
        self.begun = b""
        """the bytes that arrive before a connection is lost"""
        monkeypatch.setattr(PostPool, "post", lambda *arguments: self.post(*arguments))
        self.reports: list[Report] = []
        monkeypatch.setattr(module, "send_report", self.reports.append)

    def post(self, pool: Any, message: int, server: int, due_ns: int) -> None:
        connection = PostConnection(server, pool._on_answer, pool._on_connection_lost)
        connection.connection_made(self)  # type: ignore[arg-type]  # a transport that only takes writes
        self.message, self.server = message, server
        pool._counts[server] = 64
        pool._closed = True
        pool._write(connection, message)
        reply = self.answers(message)
        if reply is None:
            connection.data_received(self.begun)
            connection.connection_lost(None)
        else:
            connection.data_received(reply)

    def abort(self) -> None: ...

    def close(self) -> None: ...

    def write(self, data: bytes) -> None:
        self.requests[self.message] = (self.server, data)


def run(folder: Path, posts: Posts) -> tuple[Publisher, Any]:
    """Post everything. Returns the publisher and the rows of its ledger."""

    async def scenario() -> Publisher:
        job = Job(name="publisher", module="", plan=PLAN, servers=SERVERS, token="t0ken")
        publisher = Publisher(job, folder)
        publisher.start_heartbeat()
        try:
            async with asyncio.timeout(10):
                publisher.on_command(Command(do=Action.PROBE))
                while len(posts.requests) < PLAN.channels:
                    await asyncio.sleep(0.005)
                publisher.on_command(Command(do=Action.START, start_ns=time.monotonic_ns()))
                while len(posts.requests) < len(schedule(PLAN)):
                    await asyncio.sleep(0.005)
            publisher.report()
        finally:
            publisher.on_command(Command(do=Action.FINISH))
        assert publisher.ended.is_set()
        return publisher

    publisher = asyncio.run(scenario())
    return publisher, np.load(folder / "posts.npy")


def test_acknowledged_posts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ledger holds seq, status and times. The number of expected deliveries follows from the audience."""
    posts = Posts(monkeypatch, lambda message: accepted(message, message + 1))
    _, rows = run(tmp_path, posts)
    sent = rows[rows["outcome"] != UNSENT]
    assert len(sent) == len(rows)
    assert (sent["outcome"] == ACKNOWLEDGED).all()
    assert (sent["http_status"] == 200).all()
    assert (sent["answered_ns"] >= sent["sent_ns"]).all()
    assert (sent["sent_ns"] >= sent["intended_ns"]).all()
    report = posts.reports[0]
    assert (report.sent, report.acknowledged, report.expected) == (len(sent), len(sent), 2 * len(sent))
    assert report.late_ms >= 0


def test_every_message_is_posted_whole_to_its_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each post has its own text and its own id, and goes to the server that the schedule names."""
    posts = Posts(monkeypatch, lambda message: accepted(message, 1))
    run(tmp_path, posts)
    planned = schedule(PLAN).server.tolist()
    for message, (server, request) in posts.requests.items():
        assert server == planned[message]
        body = json.loads(request.partition(b"\r\n\r\n")[2])
        assert body["text"] == message_text(PLAN.run_id, message, PLAN.text_bytes)
        assert body["client_msg_id"] == f"{PLAN.run_id}-{message}"


@pytest.mark.parametrize(
    ("reply", "outcome", "trouble"),
    [
        (answer(503, ok=False, error="overloaded"), REJECTED, "was rejected: 503 overloaded"),
        (answer(500, ok=False, error="outcome_unknown"), INDETERMINATE, "is unknown: 500 outcome_unknown"),
        (None, INDETERMINATE, "is unknown: closed by the server"),
    ],
)
def test_posts_that_are_not_acknowledged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reply: bytes | None, outcome: int, trouble: str
) -> None:
    """A post is rejected if the answer says that it is not stored; otherwise its outcome is unknown. The report holds
    the reason."""
    posts = Posts(monkeypatch, lambda message: reply)
    _, rows = run(tmp_path, posts)
    sent = rows[rows["outcome"] != UNSENT]
    assert (sent["outcome"] == outcome).all()
    assert (sent["seq"] == 0).all()
    report = posts.reports[0]
    assert report.rejected + report.indeterminate == len(sent)
    assert trouble in report.trouble
    assert report.expected == 0


def test_a_failure_ends_it_with_its_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last report holds the reason."""
    posts = Posts(monkeypatch, lambda message: None)

    async def scenario() -> None:
        job = Job(name="publisher", module="", plan=PLAN, servers=SERVERS, token="t")
        publisher = Publisher(job, tmp_path)
        publisher.fail(OSError(28, "No space left on device"))
        assert publisher.ended.is_set()
        publisher.report()
        publisher.on_command(Command(do=Action.FINISH))

    asyncio.run(scenario())
    assert (posts.reports[0].failed, posts.reports[0].trouble) == (True, "OSError: [Errno 28] No space left on device")


def test_an_answer_that_is_no_json_keeps_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gateway's error page says nothing about the message and breaks no rule of the protocol. The reason is
    counted."""
    page = b"<html>Bad Gateway</html>"
    reply = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: %d\r\n\r\n%s" % (len(page), page)
    _, rows = run(tmp_path, Posts(monkeypatch, lambda message: reply))
    sent = rows[rows["outcome"] != UNSENT]
    assert (sent["outcome"] == INDETERMINATE).all()
    assert (sent["http_status"] == 502).all()
    reason = "502 an answer that is not the JSON object of the protocol (<html>Bad Gateway</html>)"
    assert incidents(tmp_path) == {("indeterminate", reason): len(sent)}


@pytest.mark.parametrize(
    ("changes", "flaw"),
    [
        ({"duplicate": True}, "the answer calls a first post a duplicate"),
        ({"duplicate": None}, "the answer lacks `duplicate`"),
        ({"channel": "another"}, "the answer names another channel than the post"),
        ({"channel": None}, "the answer names no channel"),
    ],
)
def test_an_answer_is_compared_with_its_post(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, changes: dict[str, object], flaw: str
) -> None:
    """The answer still acknowledges the message. The difference is an incident."""
    _, rows = run(tmp_path, Posts(monkeypatch, lambda message: accepted(message, 1, **changes)))
    sent = rows[rows["outcome"] != UNSENT]
    assert (sent["outcome"] == ACKNOWLEDGED).all()
    assert incidents(tmp_path) == {("answer", flaw): len(sent)}


@pytest.mark.parametrize("seq", [0, -1, 2**70, None, "7"])
def test_an_acknowledgement_without_a_seq_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seq: object) -> None:
    """The outcome is unknown. A seq out of range does not break the ledger."""
    _, rows = run(tmp_path, Posts(monkeypatch, lambda message: accepted(message, seq)))
    assert set(rows["outcome"].tolist()) == {INDETERMINATE}
    assert (rows["http_status"] == 200).all()
    assert {kind for kind, _ in incidents(tmp_path)} == {"answer", "indeterminate"}


def test_an_answer_that_is_cut_short_keeps_its_status(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The head of the answer had arrived."""
    publisher = Posts(monkeypatch, lambda message: None)
    publisher.begun = accepted(0, 1)[:-3]
    _, rows = run(tmp_path, publisher)
    assert set(rows["outcome"].tolist()) == {INDETERMINATE}
    assert (rows["http_status"] == 200).all()
    assert incidents(tmp_path) == {("indeterminate", "200, cut short: closed by the server"): len(rows)}
