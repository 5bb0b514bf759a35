from pathlib import Path

import msgspec
import pytest

from harness.prove.way.victims import VICTIMS
from harness.prove.way.way_bug import event_of
from harness.prove.way.websocket_frames import BINARY
from tests.harness.prove.way.links import Way

BUGS = (
    ("Lost", [4, 6]),
    ("Twice", [4, 5, 5, 6]),
    ("TwiceUnderTwoSeqs", [4, 5, 5_005, 6]),
    ("Swapped", [4, 6, 5]),
    ("ByteAltered", [4, 5, 6]),
    ("ChannelAltered", [4, 5, 6]),
    ("OfAnotherRun", [4, 5, 5, 6]),
    ("NeverPosted", [4, 5, 5, 6]),
    ("InBinaryFrame", [4, 6]),
    ("NotUtf8", [4, 6]),
    ("NotJson", [4, 5, 6]),
    ("UnaskedError", [4, 5, 0, 6]),
    ("BrokenFrame", [4, 6]),
)


@pytest.mark.parametrize(("bug", "seqs"), BUGS)
def test_each_victim_is_hit_once_and_the_others_get_everything(tmp_path: Path, bug: str, seqs: list[int]) -> None:
    """Three clients of four are victims, each in its fifth message. The planter counts three events."""
    way = Way(f"one_delivery:{bug}", tmp_path)
    way.deliver(4, 5, 6)
    assert way.planted == VICTIMS
    assert [socket.seqs for socket in way.sockets] == [seqs, seqs, seqs, [4, 5, 6]]


def test_a_seq_is_altered_once_in_each_channel(tmp_path: Path) -> None:
    """The judge counts a wrong seq once for each channel. Three victims in one channel would be one error."""
    way = Way("one_delivery:SeqAltered", tmp_path)
    way.deliver(4, 5, 6)
    hit = [client for client, socket in enumerate(way.sockets) if socket.seqs == [4, 4, 6]]
    assert way.planted == len(hit) == len(set(way.channels))
    assert len({way.channels[client] for client in hit}) == len(hit)


def test_the_number_of_victims_and_their_message_can_be_chosen(tmp_path: Path) -> None:
    """The options ``victims`` and ``seq`` choose them."""
    way = Way("one_delivery:Lost", tmp_path, victims=1, seq=6)
    way.deliver(4, 5, 6)
    assert way.planted == 1
    assert [socket.seqs for socket in way.sockets[:2]] == [[4, 5], [4, 5, 6]]


def test_a_stranger_gets_the_delivery_beside_the_victim(tmp_path: Path) -> None:
    """A client of another channel gets each of the three deliveries too."""
    way = Way("one_delivery:ToAnotherClient", tmp_path)
    way.deliver(5)
    assert way.planted == 3
    channels = [[event.channel for frame in socket.frames if (event := event_of(frame))] for socket in way.sockets]
    strangers = sum(name != way.channels[client] for client, names in enumerate(channels) for name in names)
    assert strangers == 3
    assert all(way.channels[client] in names for client, names in enumerate(channels))


def test_what_is_altered_is_altered_once(tmp_path: Path) -> None:
    """The bug alters one byte of the text, the name of the channel, or the kind of frame."""
    altered = Way("one_delivery:ByteAltered", tmp_path)
    altered.deliver(5)
    victim, other = (msgspec.json.decode(altered.sockets[client].frames[0].payload)["text"] for client in (0, 3))
    assert sum(one != another for one, another in zip(victim, other, strict=True)) == 1
    renamed = Way("one_delivery:ChannelAltered", tmp_path)
    renamed.deliver(5)
    assert msgspec.json.decode(renamed.sockets[0].frames[0].payload)["channel"] == "rtest.000001"
    binary = Way("one_delivery:InBinaryFrame", tmp_path)
    binary.deliver(5)
    assert binary.sockets[0].frames[0].opcode == BINARY
    broken = Way("one_delivery:NotUtf8", tmp_path)
    broken.deliver(5)
    with pytest.raises(UnicodeDecodeError):
        broken.sockets[0].frames[0].payload.decode()
