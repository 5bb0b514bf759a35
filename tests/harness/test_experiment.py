"""A whole run with a made-up environment: the order of its steps, and what is kept if a step fails."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness import experiment, measurement
from harness.exit_codes import ExitCode
from harness.model.clock import Clocks
from harness.model.drain import Drained, DrainEnd
from harness.model.errors import EnvironmentFailure, WorkerLost
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.watch import Progress
from harness.recording.reader import read_clocks
from tests.harness.plans import a_plan

DRAINED = Drained(how=DrainEnd.COMPLETE, quiet_s=0.1, deliveries_hz=0.0, unsubscribed=0)


class NoComponents(tuple[object, ...]):
    """No components. A cluster has them as a property, and a fleet returns them from a method."""

    def __call__(self) -> "NoComponents":
        return self


class Story:
    """Stands in for the cluster and the fleet, and records every step. ``fails`` maps a step to the error that it
    raises."""

    def __init__(self, **fails: BaseException) -> None:
        self.steps: list[str] = []
        self.fails = fails
        self.servers: tuple[object, ...] = ()
        self.token = ""
        self.versions: dict[str, str] = {}
        self.casualty = ""

    async def step(self, name: str, answer: Any = None) -> Any:
        self.steps.append(name)
        if error := self.fails.get(name):
            raise error
        return answer

    def casualties(self) -> list[str]:
        return [self.casualty] if self.casualty else []

    @asynccontextmanager
    async def environment(self, *_: object, **__: object) -> AsyncIterator["Story"]:
        await self.step("up")
        try:
            yield self
        finally:
            self.steps.append("down")

    async def inject(self, kind: object, part: str) -> Any:
        return await self.step(f"{kind} {part}", {"ended": "exit code 0"})

    async def heal(self, kind: object, part: str) -> Any:
        return await self.step(f"heal {kind} {part}", {})

    # The fleet.

    async def __aenter__(self) -> "Story":
        await self.step("fleet")
        return self

    async def __aexit__(self, *_: object) -> None:
        self.steps.append("fleet ended")

    async def connect(self, timeout_s: float) -> None:
        await self.step("connect")

    async def probe(self, timeout_s: float) -> Any:
        return await self.step("probe", (4, 4))

    async def start(self, start_ns: int) -> None:
        await self.step("start")

    async def posted(self, timeout_s: float) -> Any:
        return await self.step("posted", True)

    async def drain(self, quiet_s: float, limit_s: float) -> Any:
        return await self.step("drain", DRAINED)

    async def finish(self) -> None:
        await self.step("finish")

    def progress(self) -> Progress:
        return Progress()

    components = NoComponents()

    def check(self) -> None:
        pass


class Silent:
    """A watch that shows nothing."""

    def phase(self, name: str) -> None: ...
    def progress(self, progress: Progress) -> None: ...
    def recording(self, folder: Path) -> None: ...

    def note(self, text: str) -> None: ...


class NoTelemetry:
    def __init__(self, *_: object, **__: object) -> None: ...

    def newest(self) -> tuple[()]:
        return ()

    async def __aenter__(self) -> None: ...
    async def __aexit__(self, *_: object) -> None: ...


def tell(story: Story, out: Path, *, with_report: bool = True, **changes: Any) -> experiment.Outcome:
    async def collected(name: str) -> Any:
        return await story.step(name)

    with (
        mock.patch.object(experiment, "open_environment", story.environment),
        mock.patch.object(measurement, "Fleet", lambda **_: story),
        mock.patch.object(measurement, "Telemetry", NoTelemetry),
        mock.patch.object(measurement, "describe_machine", lambda *_: story.step("machine", {})),
        mock.patch.object(measurement, "find_clocks", lambda *_, **__: Clocks()),
        mock.patch.object(measurement, "ask_servers", lambda *_: story.step("servers asked", {"server-1": ""})),
        mock.patch.object(measurement, "collect_traces", lambda *_: story.step("traces", {})),
        mock.patch.object(measurement, "audit", lambda *_: collected("audit")),
    ):
        plan = a_plan(**{"duration_s": 1.0, "rate_hz": 5.0, **changes})
        return experiment.run_experiment(plan, out=out, watch=Silent(), with_report=with_report)


WHOLE = [
    *("up", "machine", "fleet", "connect", "probe", "start", "posted", "drain", "finish", "fleet ended"),
    *("servers asked", "traces", "audit", "down"),
]


def test_the_story_is_told_in_order(tmp_path: Path) -> None:
    """The order is up, connect, probe, load, drain, collect, down. The recording proves nothing, so the verdict is
    UNKNOWN."""
    story = Story()
    outcome = tell(story, tmp_path)
    assert story.steps == WHOLE
    assert read_clocks(outcome.folder) == Clocks()
    assert outcome.exit_code is ExitCode.UNKNOWN
    assert {path.name for path in outcome.folder.iterdir()} >= {
        "plan.json",
        "events.jsonl",
        "verdict.json",
        "report.html",
    }


def test_the_report_can_be_left_for_later(tmp_path: Path) -> None:
    """With --no-report the run is judged, but has no page."""
    outcome = tell(Story(), tmp_path, with_report=False)
    assert (outcome.folder / "verdict.json").exists()
    assert not (outcome.folder / "report.html").exists()


@pytest.mark.parametrize(
    ("step", "error", "code", "how"),
    [
        ("up", EnvironmentFailure("no port"), ExitCode.ENVIRONMENT, "failed"),
        ("connect", EnvironmentFailure("refused"), ExitCode.ENVIRONMENT, "failed"),
        ("start", WorkerLost("worker-00"), ExitCode.UNKNOWN, "casualty"),
        ("drain", OSError(28, "No space left on device"), ExitCode.ENVIRONMENT, "failed"),
        ("probe", asyncio.CancelledError(), ExitCode.INTERRUPTED, "interrupted"),
        ("connect", ZeroDivisionError("planted"), ExitCode.ENVIRONMENT, "failed"),
    ],
)
def test_whatever_fails_everything_is_torn_down_and_kept(
    tmp_path: Path, step: str, error: BaseException, code: ExitCode, how: str
) -> None:
    """The outcome has the right exit code and the reason. The environment is down, and the recording holds the
    ending."""
    story = Story(**{step: error})
    outcome = tell(story, tmp_path)
    assert outcome.exit_code is code
    assert outcome.why
    if step != "up":
        assert story.steps[-1] == "down"
        assert "fleet ended" in story.steps
    ended = json.loads((outcome.folder / "events.jsonl").read_text().splitlines()[-1])
    assert (ended["event"], ended["how"]) == ("ended", how)


def test_a_part_that_cannot_be_collected_is_left_out(tmp_path: Path) -> None:
    """If the traces cannot be collected, the audit is still made."""
    story = Story(traces=EnvironmentFailure("gone"))
    assert tell(story, tmp_path).exit_code is ExitCode.UNKNOWN
    assert story.steps == WHOLE


@pytest.mark.parametrize("step", ["drain", "finish", "servers asked", "traces", "audit"])
def test_a_part_that_dies_at_the_end_is_no_success(tmp_path: Path, step: str) -> None:
    """An unexpected end of a process gives exit code 4 with its reason, also if no delivery is missing."""

    class Dying(Story):
        async def step(self, name: str, answer: Any = None) -> Any:
            if name == step:
                self.casualty = "server-2 ended unexpectedly: SIGKILL"
            return await super().step(name, answer)

    story = Dying()
    outcome = tell(story, tmp_path)
    assert (outcome.exit_code, outcome.why) == (ExitCode.ENVIRONMENT, "server-2 ended unexpectedly: SIGKILL")
    assert story.steps[-1] == "down"


def test_the_journal_says_which_servers_answered_after_the_load(tmp_path: Path) -> None:
    """If the harness does not own the cluster, nothing else shows that a server is gone."""
    outcome = tell(Story(), tmp_path)
    events = [json.loads(line) for line in (outcome.folder / "events.jsonl").read_text().splitlines()]
    (answering,) = (event for event in events if event["event"] == "answering")
    assert answering["servers"] == {"server-1": ""}


FAULT = Fault(
    kind=FaultKind.STOP,
    target=Target.BROKER,
    at=Moment(unit=Unit.SHARE, value=0.5),
    until=Moment(unit=Unit.POSTED),
    parts=("broker",),
)


def test_faults_happen_on_their_timeline(tmp_path: Path) -> None:
    """The fault is injected in mid-run and healed after all posts, before the drain. The journal holds both with their
    observations."""
    story = Story()
    outcome = tell(story, tmp_path, faults=(FAULT,))
    at = {step: story.steps.index(step) for step in ("start", "stop broker", "posted", "heal stop broker", "drain")}
    assert list(at) == sorted(at, key=at.__getitem__)
    events = [json.loads(line) for line in (outcome.folder / "events.jsonl").read_text().splitlines()]
    told = {event["event"]: event for event in events if "fault" in event}
    assert list(told) == ["fault", "fault-done", "heal", "heal-done"]
    assert told["fault-done"]["seen"] == {"broker": {"ended": "exit code 0"}}


@pytest.mark.parametrize("step", ["stop broker", "heal stop broker"])
def test_a_fault_that_cannot_be_done_ends_the_run(tmp_path: Path, step: str) -> None:
    """The reason is reported unchanged, and everything is torn down."""
    story = Story(**{step: EnvironmentFailure("broker does not start again")})
    outcome = tell(story, tmp_path, faults=(FAULT,))
    assert (outcome.exit_code, outcome.why) == (ExitCode.ENVIRONMENT, "broker does not start again")
    assert story.steps[-1] == "down"
