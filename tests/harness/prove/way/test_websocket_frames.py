from hypothesis import given
from hypothesis import strategies as st

from harness.prove.way.websocket_frames import BINARY, TEXT, FrameReader, client_frame, server_frame

PAYLOADS = st.lists(st.binary(max_size=70_000), min_size=1, max_size=4)


@given(PAYLOADS, st.integers(1, 5_000))
def test_frames_survive_any_cut_of_the_stream(payloads: list[bytes], size: int) -> None:
    """The stream arrives in pieces of any size. The reader returns the frames that were written, masked or not."""
    stream = b"".join(server_frame(payload) + client_frame(payload, opcode=BINARY) for payload in payloads)
    reader, found = FrameReader(), []
    for at in range(0, len(stream), size):
        found += reader.feed(stream[at : at + size])
    assert [(frame.opcode, frame.payload) for frame in found] == [
        pair for payload in payloads for pair in ((TEXT, payload), (BINARY, payload))
    ]
    assert b"".join(frame.raw for frame in found) == stream
    assert all(frame.final for frame in found)


def test_a_fragment_is_not_final() -> None:
    """The first fragment of a message has the message's opcode and no FIN bit."""
    (frame,) = FrameReader().feed(server_frame(b"half", final=False))
    assert not frame.final
