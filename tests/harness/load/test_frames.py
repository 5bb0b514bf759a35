"""The table of distinct frames: what is verified, and what is only looked up."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import frames as module
from harness.load.frames import FrameTable
from harness.model.message import channel_name, message_text
from harness.protocol.chat import Chat
from harness.recording.format import ALTERED, FOREIGN, SOUND
from tests.harness.plans import a_plan

PLAN = a_plan()


def frame(message: int = 3, *, channel: int = 0, seq: int = 5, text: str | None = None) -> bytes:
    text = message_text(PLAN.run_id, message, PLAN.text_bytes) if text is None else text
    event = {"type": "message", "channel": channel_name(PLAN.run_id, channel), "seq": seq, "text": text}
    return json.dumps(event).encode()


def row(payload: bytes) -> list[int]:
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    seen.number(payload)
    return list(seen.take_rows()[0])


def test_a_whole_message_is_sound() -> None:
    """Message, channel and seq as posted and named."""
    assert row(frame(3, channel=1, seq=5)) == [3, 1, 5, SOUND]


@given(st.integers(0, PLAN.text_bytes - 1), st.characters(codec="ascii", exclude_characters='\0"\\'))
def test_a_single_changed_character_is_noticed(at: int, character: str) -> None:
    """Altered or foreign, but never sound."""
    text = message_text(PLAN.run_id, 3, PLAN.text_bytes)
    changed = text[:at] + character + text[at + 1 :]
    assert (row(frame(text=changed))[3] == SOUND) == (changed == text)


def test_an_altered_text_still_names_its_message() -> None:
    """So that the finding can say which one it was."""
    text = message_text(PLAN.run_id, 3, PLAN.text_bytes)
    assert row(frame(text=text[:-1] + "~"))[:1] + row(frame(text=text[:-1] + "~"))[3:] == [3, ALTERED]


@pytest.mark.parametrize("text", ["hello", "", message_text("rother000", 3, 96), message_text(PLAN.run_id, 10, 96)])
def test_what_this_run_never_posted_is_foreign(text: str) -> None:
    """Another run's texts, texts beyond the schedule, any other text."""
    assert row(frame(text=text))[0] == -1
    assert row(frame(text=text))[3] == FOREIGN


def test_equal_bytes_are_one_frame() -> None:
    """Every client of a channel gets the same bytes: verified once, then looked up."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    first = seen.number(frame(3))
    assert seen.lookup()(frame(3)) == first
    assert seen.number(frame(4)) != first
    assert len(seen) == 2


def test_memory_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """Old frames are forgotten and verified again when they come back; the rows written stay right."""
    monkeypatch.setattr(module, "GENERATION", 2)
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    for message in (0, 1, 2, 3, 4, 0):
        seen.number(frame(message))
    assert [int(message) for message in seen.take_rows()["message"]] == [0, 1, 2, 3, 4, 0]


def test_what_is_no_message_is_for_the_dialogue() -> None:
    """Confirmations and errors are not numbered."""
    seen = FrameTable(PLAN, messages=10, classify=Chat().classify)
    for payload in (b'{"type":"subscribed","channel":"c","seq":1}', b"junk", b"\xff\xfe"):
        with pytest.raises(ValueError):  # noqa: PT011 - any reason will do
            seen.number(payload)
    assert len(seen) == 0
