"""Where a bug of the storage is planted, and how its events are written down."""

import stat
from pathlib import Path

from planted_server.storage_bug import VICTIM_SEQ, PlantedLines, victims


def test_the_victim_of_a_channel_is_its_fifth_message_once() -> None:
    """By place in the batch, in every channel; a post that was repeated is not hit again."""
    rows = [
        (VICTIM_SEQ - 1, False),
        (VICTIM_SEQ, False),
        (VICTIM_SEQ, True),
        (VICTIM_SEQ, False),
        (VICTIM_SEQ + 1, False),
    ]
    assert victims(["a", "a", "a", "b", "b"], rows) == [1, 3]
    assert victims([], []) == []


def test_servers_append_to_one_file_that_only_their_user_reads(tmp_path: Path) -> None:
    """A line for each event, in the order in which they were written."""
    path = tmp_path / "events"
    first, second = PlantedLines(path), PlantedLines(path)
    for lines, what in ((first, "a"), (second, "b"), (first, "c")):
        lines.add(what)
    assert path.read_text() == "a\nb\nc\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
