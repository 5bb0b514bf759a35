from dataclasses import fields
from importlib.util import find_spec

import pytest

from harness.checks.registry import CHECKS
from harness.model.finding import Status
from harness.model.proof import Place
from harness.model.registry import load
from harness.prove.demand import Refuses, Says
from harness.prove.planted_bug import PlantedBug
from harness.prove.registry import PLANTED_BUGS
from harness.prove.trials import PLANTED_SERVER, InTheServer, OnTheWay

NOT_END_TO_END = {
    "backfilled": "needs a recovery of 10 s or more",
    "reconnected": "needs a cluster that accepts no client again",
    "clean-refusal": "needs a database that hangs without its time-outs",
    "filled-on-request": "needs a server that fills without a request",
    "fault-injected": "needs an environment that cannot inject",
    "resubscribed": "needs a server that does not subscribe again after an outage",
    "bystanders": "needs a gateway that waits for slow consumers",
    "bounded-memory": "needs a gateway without a limit for slow consumers",
    "live_latency_ms.p99": "the same function as latency_ms.p99",
    "probe": "a client without its probe is one that is not subscribed",
    "samples": "a run that is too short for a percentile; every small proof has it",
    "throughput": "a sender that posts less than planned ends late instead",
    "steal": "needs a hypervisor",
    "not-measured": "needs a measurement that crashes",
}
"""Checks that no planted bug of a proof makes red or UNKNOWN, with the reason. Hand-made recordings test them."""


@pytest.mark.parametrize("bug", list(PLANTED_BUGS), ids=lambda bug: bug.name)
def test_every_planted_bug_can_be_planted(bug: PlantedBug) -> None:
    """The named bug exists, and the verdict must say something about it."""
    assert bug.demands
    if isinstance(bug.trial, OnTheWay):
        load(bug.trial.bug)
    if isinstance(bug.trial, InTheServer):
        assert find_spec(bug.trial.bug.partition(":")[0]) is not None
        assert find_spec(PLANTED_SERVER) is not None


def test_every_check_has_a_planted_bug_end_to_end() -> None:
    """For each check of a run, a planted bug demands that it is red or UNKNOWN. Otherwise the table gives the
    reason."""
    demanded = {
        demand.check
        for bug in PLANTED_BUGS
        for demand in bug.demands
        if isinstance(demand, Says) and set(demand.status) <= {Status.FAIL, Status.UNKNOWN}
    }
    assert set(CHECKS.names) - demanded <= set(NOT_END_TO_END)
    assert not demanded & set(NOT_END_TO_END), "a reason that no longer holds"


def test_no_fault_of_the_measurement_may_pass() -> None:
    """Each such bug has a demand on the whole verdict, or the harness must refuse the recording."""
    for bug in PLANTED_BUGS:
        if bug.place in (Place.MEASUREMENT, Place.RECORDING):
            kinds = {type(demand).__name__ for demand in bug.demands}
            assert "Ends" in kinds or any(isinstance(demand, Refuses) for demand in bug.demands), bug.name


def test_the_quick_part_has_every_place() -> None:
    """--quick plants bugs in the server, on the way and in the recording."""
    places = {bug.place for bug in PLANTED_BUGS if bug.quick}
    assert places >= {Place.SERVER, Place.WAY, Place.RECORDING}
    assert {field.name for field in fields(PlantedBug)} >= {"quick", "alone"}
