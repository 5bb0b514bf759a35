"""Incidents of one process: all are counted, a few are kept, and the file is valid at every moment."""

from pathlib import Path

import msgspec

from harness.load.incidents import CHARACTERS, EXAMPLES, OTHER, REASONS, Incidents
from harness.model.incident import Incident, IncidentKind, IncidentList


def read(path: Path) -> tuple[Incident, ...]:
    return msgspec.json.decode(path.read_bytes(), type=IncidentList).incidents


def test_there_is_a_file_from_the_beginning(tmp_path: Path) -> None:
    """An empty file means that the process saw no incident. A missing file means that nothing is known."""
    Incidents(tmp_path / "incidents-x.json")
    assert read(tmp_path / "incidents-x.json") == ()


def test_every_incident_is_counted_and_a_few_are_shown(tmp_path: Path) -> None:
    """Incidents are counted by kind and reason, with the times of the first and the last."""
    incidents = Incidents(tmp_path / "incidents-x.json")
    for number in range(1_000):
        incidents.note(IncidentKind.BINARY, "binary", f"client {number}")
    incidents.note(IncidentKind.UNASKED, "binary")
    incidents.flush()
    binary, unasked = read(tmp_path / "incidents-x.json")
    assert (binary.kind, binary.count, len(binary.examples)) == (IncidentKind.BINARY, 1_000, EXAMPLES)
    assert binary.examples[0] == "client 0"
    assert 0 < binary.first_ns <= binary.last_ns <= unasked.first_ns
    assert (unasked.count, unasked.examples) == (1, ())
    assert [path.name for path in tmp_path.iterdir()] == ["incidents-x.json"]


def test_reasons_and_their_length_are_bounded(tmp_path: Path) -> None:
    """A service that gives a new reason each time fills neither memory nor disk. Every incident is still counted."""
    incidents = Incidents(tmp_path / "incidents-x.json")
    for number in range(10 * REASONS):
        incidents.note(IncidentKind.REJECTED, f"{number} " + "x" * 10_000, "y" * 10_000)
    incidents.flush()
    found = read(tmp_path / "incidents-x.json")
    assert len(found) == REASONS + 1
    assert sum(each.count for each in found) == 10 * REASONS
    assert found[-1].reason == OTHER
    assert all(len(text) <= CHARACTERS for each in found for text in (each.reason, *each.examples))
