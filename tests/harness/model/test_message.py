import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.message import MIN_TEXT_BYTES, channel_index, channel_name, message_index, message_text

RUN = "r0123456789"


@given(message=st.integers(0, 50_000_000), size_bytes=st.integers(MIN_TEXT_BYTES, 4_096))
def test_a_text_has_its_size_and_names_its_message(message: int, size_bytes: int) -> None:
    """Every text is ASCII, has the planned length, and identifies its message."""
    text = message_text(RUN, message, size_bytes)
    assert len(text.encode("ascii")) == size_bytes
    assert message_index(RUN, text) == message


@given(message=st.integers(0, 50_000_000))
def test_neighbouring_messages_have_different_paddings(message: int) -> None:
    """A text with the head of its neighbour is not the text of the neighbour."""
    head = len(f"{RUN}/{message:010d}/")
    assert message_text(RUN, message, 96)[head:] != message_text(RUN, message + 1, 96)[head:]


@pytest.mark.parametrize("text", ["", "hello", "other/0000000001/abc", f"{RUN}/000000001/abc", f"{RUN}/-000000001/a"])
def test_a_text_of_something_else_is_no_message(text: str) -> None:
    """The text belongs to another run, has a short number, or has no head."""
    assert message_index(RUN, text) == -1


@given(channel=st.integers(0, 999_999))
def test_a_channel_name_leads_back_to_its_channel(channel: int) -> None:
    assert channel_index(RUN, channel_name(RUN, channel)) == channel


@pytest.mark.parametrize("name", ["", "general", "other.000001", f"{RUN}.1", f"{RUN}.00000x", f"{RUN}.٠٠٠٠٠١"])
def test_a_name_of_something_else_is_no_channel(name: str) -> None:
    """The name belongs to another run, has too few digits, or has digits that are not ASCII."""
    assert channel_index(RUN, name) == -1
