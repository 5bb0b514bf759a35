"""The table of distinct frames: what is verified, and what is only looked up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import frames as module
from harness.load.frames import FrameTable
from harness.load.protocol.framing import BINARY, TEXT, server_frame
from harness.model.message import channel_name, message_text
from harness.protocol.chat import Chat
from harness.recording.format import ALTERED, FOREIGN, SOUND, UNVERIFIED
from tests.harness.plans import a_plan

PLAN = a_plan()


def frame(message: int = 3, *, channel: int = 0, seq: int = 5, text: str | None = None) -> bytes:
    text = message_text(PLAN.run_id, message, PLAN.text_bytes) if text is None else text
    event = {"type": "message", "channel": channel_name(PLAN.run_id, channel), "seq": seq, "text": text}
    return json.dumps(event).encode()


def number(seen: FrameTable, payload: bytes) -> int:
    """The row number of a delivery that comes in one frame."""
    mark = seen.mark(server_frame(TEXT, payload), payload)
    assert isinstance(mark, int)
    return mark >> 32


def row(payload: bytes) -> list[int]:
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    assert number(seen, payload) == 0
    return list(seen.take_rows()[0])


def test_a_whole_message_is_sound() -> None:
    """The row has the message that was posted, and the channel and seq that the frame names."""
    assert row(frame(3, channel=1, seq=5)) == [3, 1, 5, SOUND]


@given(st.integers(0, PLAN.text_bytes - 1), st.characters(codec="ascii", exclude_characters='\0"\\'))
def test_a_single_changed_character_is_noticed(at: int, character: str) -> None:
    """The text is altered or foreign, never sound."""
    text = message_text(PLAN.run_id, 3, PLAN.text_bytes)
    changed = text[:at] + character + text[at + 1 :]
    assert (row(frame(text=changed))[3] == SOUND) == (changed == text)


def test_an_altered_text_still_names_its_message() -> None:
    """The finding can then name the message."""
    text = message_text(PLAN.run_id, 3, PLAN.text_bytes)
    assert row(frame(text=text[:-1] + "~"))[:1] + row(frame(text=text[:-1] + "~"))[3:] == [3, ALTERED]


@pytest.mark.parametrize("text", ["hello", "", message_text("rother000", 3, 96), message_text(PLAN.run_id, 10, 96)])
def test_what_this_run_never_posted_is_foreign(text: str) -> None:
    """Foreign are texts of another run, texts beyond the schedule, and any other text."""
    assert row(frame(text=text))[0] == -1
    assert row(frame(text=text))[3] == FOREIGN


def test_equal_bytes_are_one_frame() -> None:
    """Every client of a channel gets the same bytes. The table verifies them once and then only looks them up."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    first = number(seen, frame(3))
    assert seen.lookup(0)(server_frame(TEXT, frame(3))) == first << 32
    assert seen.lookup(0)(server_frame(BINARY, frame(3))) is None
    assert number(seen, frame(4)) != first
    assert len(seen) == 2


@pytest.mark.parametrize(("limit", "value"), [("GENERATION", 2), ("GENERATION_BYTES", 300)])
def test_old_frames_are_forgotten(monkeypatch: pytest.MonkeyPatch, limit: str, value: int) -> None:
    """A forgotten frame that comes again is verified again, and it keeps its row."""
    monkeypatch.setattr(module, limit, value)
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    numbers = [number(seen, frame(message)) for message in (0, 1, 2, 3, 4, 0)]
    assert numbers == [0, 1, 2, 3, 4, 0]
    assert [int(message) for message in seen.take_rows()["message"]] == [0, 1, 2, 3, 4]
    assert seen.lookup(0)(server_frame(TEXT, frame(1))) is None


def test_what_a_receiver_must_ignore_makes_no_row() -> None:
    """A server may add its own fields, different for each client. The table does not grow with them."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    for client in range(100):
        assert number(seen, frame(3)[:-1] + b', "for": %d}' % client) == 0
    assert (len(seen), seen.unverified) == (1, 0)


def test_the_table_is_bounded_and_says_so() -> None:
    """All frames beyond the limit share one row, which is not sound. They are counted."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    for seq in range(1, seen.limit + 101):
        number(seen, frame(3, seq=seq))
    assert (len(seen), seen.unverified) == (seen.limit + 1, 100)
    assert seen.take_rows()[-1].tolist() == (-1, -1, 0, UNVERIFIED)
    assert number(seen, frame(4)) == seen.limit, "nothing passes behind the limit"
    assert number(seen, frame(3, seq=1)) == 0, "what was verified stays so"


def test_only_sound_frames_name_a_position() -> None:
    """A client resumes only after a delivery that was verified."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    assert seen.seq_of(number(seen, frame(3, seq=5)) << 32, 0) == 5
    assert seen.seq_of(number(seen, frame(3, seq=5)) << 32, 1) == 0, "a delivery of another channel"
    assert seen.seq_of(number(seen, frame(text="hello", seq=9)) << 32, 0) == 0
    assert seen.seq_of(number(seen, frame(3, seq=-1)) << 32, 0) == 0


def test_what_is_no_delivery_is_told() -> None:
    """Confirmations and violations get no number."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    for payload in (b'{"type":"subscribed","channel":"c","seq":1}', b"junk", b"[" * 100_000):
        assert not isinstance(seen.mark(server_frame(TEXT, payload), payload), int)
    assert len(seen) == 0
