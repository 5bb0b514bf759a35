"""How a trial is run, with a stand-in for the stage."""

import asyncio
from pathlib import Path
from typing import Any

from harness.prove.stage import Ended
from harness.prove.trials import EVENTS, PLANTED_SERVER, BySettings, InTheServer, SmallLoad, listed


class Stage:
    """Records the requested run, and writes ``events`` as the events of the planted bug."""

    def __init__(self, events: str = "") -> None:
        self.events = events
        self.arguments: tuple[str, ...] = ()
        self.environment: Any = None

    async def run(self, scenario: str, *arguments: str, out: Path, environment: Any = None) -> Ended:
        self.arguments, self.environment = (scenario, *arguments), environment
        (out / EVENTS).write_text(self.events)
        return Ended(exit_code=1, errors="", folder=out, verdict=None)


def test_a_bug_in_the_server_is_named_to_the_planted_build(tmp_path: Path) -> None:
    """The environment of the run names the bug and the file of its events."""
    stage: Any = Stage()
    seen = asyncio.run(InTheServer(bug="module:Bug").observe(stage, tmp_path))
    assert stage.environment == {"PLANTED_BUG": "module:Bug", "PLANTED_EVENTS": str(tmp_path / EVENTS)}
    assert stage.arguments[stage.arguments.index("--server-module") + 1] == PLANTED_SERVER
    assert (seen.exit_code, seen.folder) == (1, tmp_path)


def test_a_bug_by_settings_counts_no_events(tmp_path: Path) -> None:
    """The run gets the options of the trial. Nothing else is planted."""
    stage: Any = Stage()
    seen = asyncio.run(BySettings(scenario="scenario-b", arguments=("--recovery", "off")).observe(stage, tmp_path))
    assert stage.arguments == ("scenario-b", "--recovery", "off", "--no-report")
    assert (seen.events, stage.environment) == (None, None)


def test_the_messages_of_a_small_load() -> None:
    """The number of messages is the probes of all channels, the warm-up and the measured messages."""
    assert SmallLoad(clients=24, audience=6, rate_hz=80, duration_s=1.5).messages == 4 + 30 + 120
    assert listed([1, 2]) == "1,2"
