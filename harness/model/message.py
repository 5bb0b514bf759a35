"""What the harness posts: names and texts from which every delivery can be traced back to its post.

A text carries the run and the message's index in the schedule, padded with characters that depend on the index, so that
a text of another run, of another message, or with one changed character is recognised.
"""

import re

MIN_TEXT_BYTES = 48


def channel_name(run_id: str, channel: int) -> str:
    return f"{run_id}.{channel:06d}"


def channel_index(run_id: str, name: str) -> int:
    """The channel's index, or -1 for a name that is not of this run."""
    prefix, _, digits = name.rpartition(".")
    return int(digits) if prefix == run_id and len(digits) == 6 and digits.isascii() and digits.isdigit() else -1


def message_text(run_id: str, message: int, size_bytes: int) -> str:
    """The text of message ``message`` (0-based), ASCII, exactly ``size_bytes`` long (at least MIN_TEXT_BYTES)."""
    head = f"{run_id}/{message:010d}/"
    # Fibonacci hashing: neighbouring indices get unlike paddings.
    word = f"{(message * 2654435761 + 0x9E3779B9) & 0xFFFFFFFF:08x}"
    return (head + word * (size_bytes // 8 + 1))[:size_bytes]


_HEAD = re.compile(r"([A-Za-z0-9-]+)/([0-9]{10})/")


def message_index(run_id: str, text: str) -> int:
    """The index in the head of a text, or -1 if the text is not of this run. It does not check the rest of the text."""
    head = _HEAD.match(text)
    return int(head[2]) if head and head[1] == run_id else -1
