"""What is decided before a start, with a machine of our choice."""

from dataclasses import replace
from pathlib import Path

import pytest

from harness import preflight
from harness.model.capacity import Vary
from harness.model.errors import UsageError
from harness.planning.request import Request
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with 5,000 ports and little CPU."""
    monkeypatch.setattr(preflight, "read_limits", lambda out: replace(MACHINE, ephemeral_ports=5_000, cores=1))
    monkeypatch.setattr(preflight, "calibrate", lambda: CALIBRATION)


@pytest.mark.usefixtures("small")
def test_a_search_whose_first_load_does_not_fit_is_refused(tmp_path: Path) -> None:
    """For what no search can find: memory, descriptors, ports, disk. --force insists."""
    request = Request(servers=2, clients=40_000, audience=10, rate_hz=1)
    with pytest.raises(UsageError, match="ports: needs"):
        preflight.prepare_capacity("scenario-a", request, vary=Vary.RATE, limit_ms=100, out=tmp_path)
    forced = replace(request, force=True)
    found = preflight.prepare_capacity("scenario-a", forced, vary=Vary.RATE, limit_ms=100, out=tmp_path)
    assert found.plan.clients == 40_000


@pytest.mark.usefixtures("small")
def test_a_search_may_begin_beyond_the_cores(tmp_path: Path) -> None:
    """How much the cores carry is what it is there to find."""
    request = Request(servers=2, clients=4_000, audience=4_000, rate_hz=1_000)
    found = preflight.prepare_capacity("scenario-a", request, vary=Vary.RATE, limit_ms=100, out=tmp_path)
    assert found.plan.need.cores > 2
