"""The evidence of a hand-made recording, with its messages as the schedule."""

import dataclasses
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.evidence import Evidence, gather
from harness.recording.reader import Recording
from tests.harness.recordings import HandMade


def gathered(run: HandMade, folder: Path, attempts: Attempts | None = None, **changes: Any) -> Evidence:
    """The evidence of this recording, with the hand-made messages as its schedule."""
    found: list[Evidence] = []
    recording = dataclasses.replace(run.recording(folder), **changes)

    def instead(given: Recording, _: Attempts) -> Evidence:
        found.append(gather(given, attempts))
        raise InterruptedError

    with (
        mock.patch("harness.checks.judge.gather", instead),
        mock.patch.object(HandMade, "recording", return_value=recording),
        pytest.raises(InterruptedError),
    ):
        run.verdict(folder)
    return found[0]
