"""A cost that grows with the square of the number of servers is planted in real servers. The sweep's check of growth
fails."""

import dataclasses
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import pytest

from harness import sweep_experiment as sweep
from harness.catalog import find
from harness.model.finding import Status
from harness.model.scenario import Size
from harness.model.sweep_plan import Curve, Member, SweepPlan
from harness.model.watch import Watch
from harness.planning.request import Request
from harness.planning.sweep_planner import plan_sweep
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION
from tests.harness.test_experiment import Silent

COST_PER_SERVER_S = 1.5e-3
"""With four servers the planted part is nine tenths of a message's cost. The rest varies by a fifth while other tests
run."""
REPEATS = (3, 4)
"""The sweep is repeated more often only if the first one is undecided. Its finding then asks for that."""
pytestmark = pytest.mark.integration


def constant_sweep(repeat: int) -> SweepPlan:
    """A sweep of 1, 2 and 4 servers at one small rate, each ``repeat`` times. The repeats keep other work of the
    machine from hiding the growth."""
    request = Request(
        server_module="tests.end_to_end.costly_server",
        size=Size.SMOKE,
        server_counts=(1, 2, 4),
        repeat=repeat,
        rate_hz=40,
        audience=8,
        clients=32,
        duration_s=8,  # 320 messages; a run with fewer than 299 decides nothing
    )
    made = plan_sweep(request, find("scenario-c"), limits=MACHINE, calibration=CALIBRATION, run_id=lambda: "rplanted")
    return dataclasses.replace(made.plan, members=made.plan.of(Curve.CONSTANT))


@contextmanager
def unwatched(member: Member) -> Iterator[Watch]:
    """A watch that shows nothing. The planted cost of this run's servers grows with their number."""
    cost_s = COST_PER_SERVER_S * member.servers

    with mock.patch.dict(os.environ, {"PLANTED_COST_S": str(cost_s)}):
        yield Silent()


@pytest.mark.timeout(400)
def test_a_planted_quadratic_cost_turns_the_growth_red(tmp_path: Path) -> None:
    """Every delivery arrives, and the check finds that the cost of a message grows faster than linearly. A sweep may
    be undecided on a busy machine. It never passes."""
    for repeat in REPEATS:
        # The test does not read the reports of the runs. Together they would take half a minute.
        with mock.patch("harness.experiment.render_report"):
            outcome = sweep.run_sweep(
                constant_sweep(repeat), out=tmp_path / str(repeat), watching=unwatched, say=lambda text: None
            )
        assert outcome.verdict is not None
        found = {finding.check: finding for finding in outcome.verdict.findings}
        assert found["delivery-at-every-count"].status is Status.PASS, found["delivery-at-every-count"].examples
        growth = found["cpu-growth"]
        assert growth.status is not Status.PASS, growth.summary
        if growth.status is Status.FAIL:
            return
        assert "too few runs to decide; use `--repeat`" in growth.summary
    pytest.fail(growth.summary)
