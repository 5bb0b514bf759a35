import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from websockets.client import ClientProtocol
from websockets.frames import Frame
from websockets.protocol import OPEN
from websockets.uri import parse_uri

from reference_server.protocol.server_events import message_frame, text_frame


def read_back(frame: bytes) -> Frame:
    """The frame as another library reads it."""
    client = ClientProtocol(parse_uri("ws://host/"), state=OPEN)
    client.receive_data(frame)
    (event,) = client.events_received()
    assert isinstance(event, Frame)
    return event


@pytest.mark.parametrize("size", [0, 1, 125, 126, 127, 65_535, 65_536, 100_000])
def test_frames_of_every_length_are_read_back(size: int) -> None:
    """A length has three encodings. They change at 125/126 and 65,535/65,536 bytes."""
    frame = read_back(text_frame(b"x" * size))
    assert (frame.fin, frame.opcode, bytes(frame.data)) == (True, 1, b"x" * size)


@given(st.text(min_size=1))
def test_a_message_is_delivered_character_by_character(text: str) -> None:
    """Every text arrives as it was posted."""
    event = json.loads(bytes(read_back(message_frame("general", 43, text)).data))
    assert event == {"type": "message", "channel": "general", "seq": 43, "text": text}
