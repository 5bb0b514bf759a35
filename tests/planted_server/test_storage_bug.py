"""Which message a storage bug hits, and how its events are written to a file."""

import stat
from pathlib import Path

from planted_server.storage_bug import VICTIM_SEQ, PlantedLines, victims


def test_the_victim_of_a_channel_is_its_fifth_message_once() -> None:
    """The result is the places of the victims in the batch, one for each channel. A repeated post is not hit again."""
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
    """Each event is one line. The lines are in the order of the writes."""
    path = tmp_path / "events"
    first, second = PlantedLines(path), PlantedLines(path)
    for lines, what in ((first, "a"), (second, "b"), (first, "c")):
        lines.add(what)
    assert path.read_text() == "a\nb\nc\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
