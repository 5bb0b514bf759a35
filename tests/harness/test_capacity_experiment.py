"""A whole capacity search on a made-up cluster."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness import capacity_experiment
from harness.capacity_experiment import CapacityOutcome, run_capacity
from harness.exit_codes import ExitCode
from harness.model.capacity import Found, Resource, TrialResult
from harness.model.errors import EnvironmentFailure
from harness.model.finding import Verdict
from harness.recording.capacity_folder import read_capacity
from tests.harness.checks.capacity.test_trial import BROKE, DISTURBED, HELD, LATE
from tests.harness.searches import a_search
from tests.harness.test_experiment import Silent, Story

Answer = Verdict | BaseException


def search(
    tmp_path: Path,
    answer: Callable[[float, int], Answer],
    story: Story | None = None,
    runs: list[Any] | None = None,
) -> CapacityOutcome:
    """A search with made-up runs. ``answer`` gets the rate and the number of the run and gives its end. ``runs``
    collects the plans."""
    story = story or Story()
    runs = [] if runs is None else runs

    async def briefly(plan: Any, cluster: object, folder: Path, watch: object) -> Verdict:
        runs.append(plan)
        found = answer(plan.rate_hz, len(runs))
        if isinstance(found, BaseException):
            raise found
        return found

    with (
        mock.patch.object(capacity_experiment, "open_environment", story.environment),
        mock.patch.object(capacity_experiment, "run_briefly", briefly),
    ):
        return run_capacity(a_search(), out=tmp_path, watch=Silent(), on_step=lambda search, step: None)


def test_a_capacity_is_found_on_one_cluster(tmp_path: Path) -> None:
    """The cluster is started and stopped once. The folder holds the result and the report, and the exit code is 0."""
    story = Story()
    outcome = search(tmp_path, lambda rate_hz, _: HELD if rate_hz <= 3_000 else BROKE, story)
    assert (outcome.capacity.found, outcome.capacity.value) == (Found.CAPACITY, 3_000)
    assert outcome.exit_code is ExitCode.PASS
    assert story.steps == ["up", "down"]
    assert read_capacity(outcome.folder) == outcome.capacity
    assert (outcome.folder / "report.html").exists()


def test_an_undecided_step_is_repeated_for_longer(tmp_path: Path) -> None:
    """Only the repetition lasts longer, and only if the load generator kept up. More seconds do not help a full load
    generator."""
    runs: list[Any] = []
    outcome = search(
        tmp_path, lambda rate_hz, number: DISTURBED if number == 1 else HELD if rate_hz < 2_000 else LATE, runs=runs
    )
    assert outcome.capacity.found is Found.LOWER_BOUND
    first = runs[0]
    assert [run.duration_s for run in runs if run.rate_hz == first.rate_hz][:2] == [
        first.duration_s,
        3 * first.duration_s,
    ]
    assert {run.duration_s for run in runs if run.rate_hz >= 2_000} == {first.duration_s}


def test_a_generator_that_gives_out_is_told(tmp_path: Path) -> None:
    """A lower bound is an answer, so the exit code is 0. An exhausted resource is named."""
    outcome = search(tmp_path, lambda rate_hz, _: HELD if rate_hz <= 3_000 else LATE)
    assert outcome.capacity.found is Found.LOWER_BOUND
    assert outcome.capacity.exhaustion is not None
    assert outcome.exit_code is ExitCode.PASS


def test_nothing_that_holds_is_a_failure(tmp_path: Path) -> None:
    """Every load breaks, down to the floor."""
    outcome = search(tmp_path, lambda *_: BROKE)
    assert (outcome.capacity.found, outcome.exit_code) == (Found.NONE, ExitCode.FAIL)


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (asyncio.CancelledError(), ExitCode.INTERRUPTED),
        (OSError(28, "No space left on device"), ExitCode.ENVIRONMENT),
    ],
)
def test_what_was_measured_is_kept_when_the_search_ends_early(
    tmp_path: Path, error: BaseException, code: ExitCode
) -> None:
    """The search ends in the third step. The file and the report hold two steps, and the file holds the reason."""
    outcome = search(tmp_path, lambda _, number: error if number == 3 else HELD)
    kept = read_capacity(outcome.folder)
    assert [step.result for step in kept.steps] == [TrialResult.HELD] * 2
    assert kept.ended
    assert outcome.exit_code is code
    assert (outcome.folder / "report.html").exists()


def test_a_load_that_cannot_be_connected_decides_nothing(tmp_path: Path) -> None:
    """The search continues while the cluster lives. A dead part ends the search."""
    refused = EnvironmentFailure("only 3 of 8,000 clients were subscribed")
    outcome = search(tmp_path, lambda rate_hz, _: HELD if rate_hz <= 1_000 else refused)
    assert outcome.capacity.found is Found.LOWER_BOUND
    assert any("only 3 of 8,000" in step.because for step in outcome.capacity.steps)
    story = Story()
    story.casualty = "server-1 died"
    assert search(tmp_path, lambda *_: refused, story).exit_code is ExitCode.ENVIRONMENT


def test_the_resource_above_the_value_is_named(tmp_path: Path) -> None:
    """The measurements of the broken step decide it. Without measurements no resource is named."""
    outcome = search(tmp_path, lambda rate_hz, _: HELD if rate_hz <= 1_000 else replace(BROKE, run=None))
    assert outcome.capacity.exhaustion is None
    outcome = search(tmp_path, lambda rate_hz, _: HELD if rate_hz <= 1_000 else BROKE)
    assert outcome.capacity.exhaustion is not None
    assert outcome.capacity.exhaustion.resource in Resource
