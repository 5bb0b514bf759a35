"""The ways to plant: on the way, in the server, during the run."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.prove.demand import Observation
from harness.prove.planted_events import count_planted
from harness.prove.stage import SERVERS, Ended, Stage

PROXY = "harness.prove.way.proxy"
PLANTED_SERVER = "planted_server"
"""a package beside the reference server; the harness imports neither"""
EVENTS = "planted.txt"
SCENARIO = "scenario-a"


@dataclass(frozen=True, slots=True, kw_only=True)
class SmallLoad:
    """A load of seconds. Each channel has ``audience`` clients, half of them on each server."""

    clients: int = 24
    audience: int = 6
    rate_hz: float = 80
    duration_s: float = 1.5

    @property
    def messages(self) -> int:
        """All of them: one probe in each channel, the warm-up of a quarter of the duration, the measured ones."""
        timed = round(self.rate_hz * self.duration_s)
        return self.clients // self.audience + round(self.rate_hz * min(1.0, self.duration_s / 4)) + timed

    @property
    def arguments(self) -> tuple[str, ...]:
        return (
            *("--size", "smoke", "--clients", str(self.clients), "--audience", str(self.audience)),
            *("--rate", f"{self.rate_hz:g}", "--duration", f"{self.duration_s:g}"),
        )


def observation(ended: Ended, events: int | None, **figures: float) -> Observation:
    return Observation(
        exit_code=ended.exit_code,
        verdict=ended.verdict,
        events=events,
        folder=ended.folder,
        errors=ended.errors,
        figures=figures,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTheWay:
    """A proxy with the bug ``bug`` (an import path) in front of each server of the correct cluster."""

    bug: str
    load: SmallLoad = field(default_factory=SmallLoad)
    options: Mapping[str, float] = field(default_factory=dict)

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        cluster = await stage.cluster()
        ports, events = stage.ports(SERVERS), folder / EVENTS
        arguments = (
            *("--ports", listed(ports), "--upstream", listed([server.port for server in cluster.servers])),
            *("--bug", self.bug, "--options", json.dumps(dict(self.options)), "--events", str(events)),
        )
        async with stage.listening(f"proxy-{folder.name}", PROXY, *arguments, ports=ports):
            ended = await stage.run(
                SCENARIO,
                *(*stage.external(ports), *self.load.arguments, "--no-report"),
                out=folder,
                environment=stage.with_token(cluster.token),
            )
        return observation(ended, count_planted(events))


@dataclass(frozen=True, slots=True, kw_only=True)
class InTheServer:
    """Servers of the build ``bug`` (an import path in `planted_server`)."""

    bug: str
    load: SmallLoad = field(default_factory=SmallLoad)

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        events = folder / EVENTS
        ended = await stage.run(
            SCENARIO,
            *("--servers", str(SERVERS), "--server-module", PLANTED_SERVER, *self.load.arguments, "--no-report"),
            out=folder,
            environment={"PLANTED_BUG": self.bug, "PLANTED_EVENTS": str(events)},
        )
        return observation(ended, count_planted(events))


@dataclass(frozen=True, slots=True, kw_only=True)
class BySettings:
    """A plain run whose options break the promise."""

    scenario: str
    arguments: tuple[str, ...]

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        return observation(await stage.run(self.scenario, *self.arguments, "--no-report", out=folder), None)


def listed(ports: list[int]) -> str:
    return ",".join(map(str, ports))
