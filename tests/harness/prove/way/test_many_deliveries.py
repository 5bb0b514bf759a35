import asyncio
from pathlib import Path

import pytest

from harness.prove.way.http_message import HttpMessage, json_response
from harness.prove.way.way_bug import Event
from harness.prove.way.websocket_frames import PING, FrameReader
from tests.harness.prove.way.links import Way


def answered(way: Way, target: str, value: object) -> HttpMessage:
    """The client's answer to a request to ``target``, if the server answers with ``value``."""
    request = HttpMessage(head=f"GET {target} HTTP/1.1\r\n\r\n".encode())
    raw = asyncio.run(way.bug.on_response(0, request, json_response(200, "OK", value)))
    head, _, body = raw.partition(b"\r\n\r\n")
    return HttpMessage(head=head + b"\r\n\r\n", body=body)


def test_the_last_message_is_lost_for_one_client_of_each_channel(tmp_path: Path) -> None:
    """``last_seq`` is the number of the last message."""
    way = Way("many_deliveries:LastMessageLost", tmp_path, last_seq=3)
    way.deliver(1, 2, 3)
    assert [socket.seqs for socket in way.sockets] == [[1, 2], [1, 2, 3], [1, 2], [1, 2, 3]]
    assert way.planted == 2


@pytest.mark.parametrize(("bug", "deaf"), [("ChannelOfOneServerLost", {1}), ("ServerDeaf", {1, 3})])
def test_clients_of_a_server_get_the_probe_alone(tmp_path: Path, bug: str, deaf: set[int]) -> None:
    """The bug loses the messages of one channel or of all channels. The planter counts every lost delivery."""
    way = Way(f"many_deliveries:{bug}", tmp_path)
    way.deliver(1, 2, 3)
    assert {client for client, socket in enumerate(way.sockets) if socket.seqs == [1]} == deaf
    assert way.planted == 2 * len(deaf)


@pytest.mark.parametrize(("bug", "seqs"), [("Gap", [4, 6, 7]), ("FromOneAgain", [4, 1, 2])])
def test_a_service_that_counts_wrongly_agrees_with_itself(tmp_path: Path, bug: str, seqs: list[int]) -> None:
    """Deliveries, answers, history and traces all show the same numbers. One event is counted for each channel."""
    way = Way(f"many_deliveries:{bug}", tmp_path)
    way.deliver(4, 5, 6)
    assert way.sockets[0].seqs == seqs
    posted = [answered(way, "/v1/chat.postMessage", {"ok": True, "channel": "c", "seq": seq}) for seq in (4, 5, 6)]
    assert [answer.json()["seq"] for answer in posted] == seqs
    rows = [{"seq": seq, "text": "x"} for seq in (4, 5, 6)]
    history = answered(way, "/v1/conversations.history", {"ok": True, "messages": rows, "last_seq": 6}).json()
    assert [row["seq"] for row in history["messages"]] == seqs  # type: ignore[attr-defined]  # JSON
    assert history["last_seq"] == seqs[-1]
    trace = answered(way, "/v1/trace?part=accepted", {"ok": True, "rows": [["c", seq, 1] for seq in (4, 5, 6)]}).json()
    assert [row[1] for row in trace["rows"]] == seqs  # type: ignore[attr-defined]  # JSON
    assert way.planted == 1


@pytest.mark.parametrize(("bug", "pings"), [("Fragmented", 0), ("FragmentedAroundPing", 2)])
def test_fragments_make_the_same_message(tmp_path: Path, bug: str, pings: int) -> None:
    """Three fragments together are the frame that the server sent."""
    way = Way(f"many_deliveries:{bug}", tmp_path)
    way.deliver(7)
    frames = way.sockets[0].frames
    assert sum(frame.opcode == PING for frame in frames) == pings
    parts = [frame for frame in frames if frame.opcode != PING]
    assert [frame.final for frame in parts] == [False, False, True]
    expected = Event(type="message", channel=way.channels[0], seq=7, text="rtest/0000000007/text").frame()
    assert b"".join(frame.payload for frame in parts) == FrameReader().feed(expected)[0].payload


def test_a_wrong_position_comes_with_lost_deliveries(tmp_path: Path) -> None:
    """Three clients miss their fifth message."""
    way = Way("many_deliveries:WrongPosition", tmp_path)
    way.deliver(4, 5, 6)
    assert [socket.seqs for socket in way.sockets] == [[4, 6], [4, 6], [4, 6], [4, 5, 6]]
    assert way.planted == 3


def test_late_messages_are_counted_once_for_all_their_clients(tmp_path: Path) -> None:
    """In each of two channels, two of the messages 1 to 4 are late."""
    way = Way("many_deliveries:Late", tmp_path, every=2, late_ms=1)
    way.deliver(1, 2, 3, 4)
    assert way.planted == 4
    assert all(socket.seqs == [1, 2, 3, 4] for socket in way.sockets)
