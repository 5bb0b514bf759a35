import asyncio
from pathlib import Path

import msgspec
import pytest

from harness.prove.way.http_message import HttpMessage, json_response
from harness.prove.way.link import Link
from harness.prove.way.way_bug import Event
from harness.prove.way.websocket_frames import FrameReader, client_frame
from tests.harness.prove.way.links import Socket, Way


@pytest.mark.parametrize(("bug", "since"), [("ResumeSkips", 11), ("ResumeRepeats", 9), ("ResumeFaithful", 10)])
def test_a_client_that_was_cut_resumes_from_another_position(tmp_path: Path, bug: str, since: int) -> None:
    """The proxy sends the server another position than the client's. The confirmation for the client names the client's
    own position."""
    way = Way(f"connections:{bug}", tmp_path)
    way.deliver(10)
    assert [socket.aborted for socket in way.sockets] == [True, True, True, False]
    socket = Socket()
    link = Link(number=9, server=1, downstream=socket)  # type: ignore[arg-type]  # a stand-in
    command = {"op": "subscribe", "channel": way.channels[0], "since": 10}
    (asked,) = FrameReader().feed(client_frame(msgspec.json.encode(command)))
    (passed,) = FrameReader().feed(asyncio.run(way.bug.on_command(link, asked)))
    assert msgspec.json.decode(passed.payload) == {**command, "since": since}
    assert way.planted == 0, "a position that the server refuses plants nothing"
    confirmation = Event(type="subscribed", channel=way.channels[0], seq=since)
    asyncio.run(way.bug.on_event(link, confirmation, FrameReader().feed(confirmation.frame())[0]))
    assert socket.seqs == [10]
    assert way.planted == 1


def test_a_server_that_is_gone_answers_nothing(tmp_path: Path) -> None:
    """The server's connections are cut, and it answers no request. The other server works as before."""
    way = Way("connections:ServerGone", tmp_path)
    request, response = HttpMessage(head=b"GET /healthz HTTP/1.1\r\n\r\n"), json_response(200, "OK", {"ok": True})
    assert asyncio.run(way.bug.on_response(1, request, response)) == response.raw
    way.deliver(10)
    assert [socket.aborted for socket in way.sockets] == [False, True, False, True]
    with pytest.raises(ConnectionResetError):
        asyncio.run(way.bug.on_response(1, request, response))
    assert asyncio.run(way.bug.on_response(0, request, response)) == response.raw
