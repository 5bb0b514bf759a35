"""Fixtures that the tests of checks share."""

import pytest

from harness.checks.evidence import account, scratch, tally
from tests.harness.recordings import HandMade


@pytest.fixture(params=["at once", "piecemeal"])
def however_much_is_read_at_once(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The results do not depend on the size of the pieces in which a recording is read."""
    if request.param == "piecemeal":
        monkeypatch.setattr(tally, "PIECE_ROWS", 3)
        monkeypatch.setattr(account, "BLOCK_PAIRS", 2)
        monkeypatch.setattr(scratch, "PIECE_ROWS", 2)
        monkeypatch.setattr(scratch, "IN_MEMORY_BYTES", 20)


@pytest.fixture
def run() -> HandMade:
    """Two sound messages in channel 0 (clients 0 and 1) and one in channel 1 (clients 2 and 3)."""
    made = HandMade()
    for channel in (0, 0, 1):
        made.post(channel)
    return made
