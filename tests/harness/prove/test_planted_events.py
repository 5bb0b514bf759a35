from pathlib import Path

from harness.prove.planted_events import PlantedEvents, count_planted


def test_two_planters_count_in_one_file(tmp_path: Path) -> None:
    """Each event is one line, also if its text is empty or has several lines."""
    path = tmp_path / "planted.txt"
    assert count_planted(path) == 0
    one, two = PlantedEvents(path), PlantedEvents(path)
    one.add("a")
    two.add("b\nb")
    one.add("")
    assert count_planted(path) == 3
    assert (one.count, two.count) == (2, 1)
