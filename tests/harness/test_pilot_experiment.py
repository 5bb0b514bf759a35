"""Pilots on a made-up cluster: their traces in the recording, and the size of the measured run."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

from harness import pilot_experiment
from harness.model.errors import EnvironmentFailure
from harness.model.measurements.resources import MachineFigures, ProcessFigures, ServerFigures
from harness.model.pilot import LoadNumbers, Pilot
from harness.model.scenario import Size
from harness.planning.pilot import sized
from harness.planning.sizing import cores_needed
from harness.recording.reader import read_plan
from tests.harness.plans import a_plan
from tests.harness.report import verdicts
from tests.harness.test_experiment import WHOLE, Story, tell

PILOT = Pilot(free=("rate",), asked=LoadNumbers(clients=200, rate_hz=1_000.0, audience=20), everyone=False)


def busy(*cores: float) -> Iterator[Any]:
    """Verdicts of pilots. In each pilot this many cores were busy."""
    measured = verdicts.measurements()
    for used in cores:
        servers = tuple(ServerFigures(name=f"server-{n}", clients=50, cpu_cores=used / 4) for n in range(4))
        quiet = replace(measured, publisher=ProcessFigures(), broker=None, database=None, workers=(), servers=servers)
        yield replace(verdicts.passed(), run=replace(quiet, machine=MachineFigures(busy_cores=used)))


def run_with(tmp_path: Path, *cores: float, fails: Exception | None = None) -> tuple[Any, list[Any], Story]:
    """The outcome of the run, the plans of its pilots, and the steps. ``cores`` are the busy cores of each pilot."""
    tried: list[Any] = []
    verdicts_ = busy(*cores)

    async def short(plan: Any, cluster: object, folder: Path, watch: object) -> Any:
        tried.append(plan)
        if fails:
            raise fails
        return next(verdicts_)

    story = Story()
    limits = mock.Mock(cores=2, memory_available_bytes=10**11, nofile_hard=10**6, ephemeral_ports=60_000)
    limits.disk_free_bytes = 10**12
    with (
        mock.patch.object(pilot_experiment, "run_briefly", short),
        mock.patch.object(pilot_experiment, "read_limits", lambda _: limits),
    ):
        plan = a_plan(clients=200, audience=20, rate_hz=1_000.0)
        cores = cores_needed(sized(plan, PILOT.asked), plan.calibration)
        outcome = tell(
            story,
            tmp_path,
            clients=200,
            audience=20,
            rate_hz=1_000.0,
            size=Size.FIT,
            pilot=PILOT,
            need=replace(plan.need, cores=cores),
        )
    return outcome, tried, story


def events_of(outcome: Any, word: str) -> list[dict[str, Any]]:
    lines = (outcome.folder / "events.jsonl").read_text().splitlines()
    return [event for line in lines if (event := json.loads(line))["event"] == word]


def test_the_run_is_measured_with_the_size_that_had_room(tmp_path: Path) -> None:
    """Plan, events and load agree. Each pilot has its own run id and comes before the measured load."""
    outcome, tried, story = run_with(tmp_path, 1.95, 1.2)
    plan = read_plan(outcome.folder)
    assert [each.run_id for each in tried] == ["rtest0000p1", "rtest0000p2"]
    assert plan.rate_hz == tried[-1].rate_hz
    assert plan.pilot is not None
    assert [step.has_room for step in plan.pilot.steps] == [False, True]
    assert plan.reductions[0].what == "rate"
    assert "pilot 1" in plan.reductions[0].because
    told = events_of(outcome, "pilot")
    assert [event["number"] for event in told] == [1, 2]
    assert told[0]["shortages"]
    assert (told[0]["settled"], told[1]["settled"]) == ("", "there was room")
    assert story.steps == WHOLE


def test_a_pilot_that_cannot_be_made_ends_the_run(tmp_path: Path) -> None:
    """The outcome has the reason. Nothing is measured, and everything is torn down."""
    outcome, _, story = run_with(tmp_path, fails=EnvironmentFailure("only 3 of 200 clients were subscribed"))
    assert "only 3 of 200" in outcome.why
    assert story.steps == ["up", "down"]
