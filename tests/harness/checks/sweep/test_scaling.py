"""The verdict over a sweep, from made-up runs."""

import dataclasses
import json
from collections.abc import Callable
from unittest import mock

import msgspec
import pytest

from harness.catalog import find
from harness.checks.check import Answer, Check
from harness.checks.sweep import scaling
from harness.checks.sweep.member import Ran, row
from harness.checks.sweep.sweep_checks import SWEEP_CHECKS, SweepCase
from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.model.measurements.claims import Outcome
from harness.model.measurements.delivery import DeliveryByPhase, DeliveryCounts
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.sweep_measurements import SweepRun
from harness.model.sweep_plan import Curve, Member, SweepPlan
from harness.planning.request import Request
from harness.planning.sweep_planner import plan_sweep
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import CALIBRATION

Law = Callable[[int], float]
NOISE = (1.0, 1.01, 0.99, 1.005, 0.995)


def linear(servers: int) -> float:
    return 1_000 + 30 * servers


def quadratic(servers: int) -> float:
    return 1_000 + 30 * servers**2


def sweep_of(counts: tuple[int, ...] = (2, 4, 8, 16), repeat: int = 1) -> SweepPlan:
    request = Request(server_counts=counts, repeat=repeat)
    made = plan_sweep(request, find("scenario-c"), limits=MACHINE, calibration=CALIBRATION, run_id=lambda: "r")
    return made.plan


def a_finding(check: str, kind: Kind, status: Status = Status.PASS, bias: Bias | None = None) -> Finding:
    return Finding(
        check=check, kind=kind, status=status, summary=check, measured=0, expected=0, samples=1_000, bias=bias
    )


def a_verdict(member: Member, *findings: Finding) -> Verdict:
    straight = a_finding("clock", Kind.VALIDITY)
    found = [a_finding("lost", Kind.SAFETY), a_finding("latency_ms.p99", Kind.PERFORMANCE), straight, *findings]
    return Verdict(status=Status.PASS, findings=tuple(found), plan=member.plan)


def a_row(member: Member, cpu: Law, redis: Law, p99: Law) -> SweepRun:
    noise = NOISE[(member.order + member.repetition) % len(NOISE)]
    latency_ms = p99(member.servers) * noise
    none = DeliveryCounts()
    return dataclasses.replace(
        bare(member),
        status=Status.PASS,
        deliveries_hz=member.plan.deliveries_per_s,
        cpu_us_per_message=cpu(member.servers) * noise,
        latency=Percentiles(
            count=1_000, p99_ms=latency_ms, p99_low_ms=latency_ms * 0.95, p99_high_ms=latency_ms * 1.05
        ),
        broker_cpu_us_per_message=redis(member.servers) * noise,
        broker_net_out_bytes_per_message=redis(member.servers),
        delivery=DeliveryByPhase(probe=none, warm_up=none, measured=DeliveryCounts(expected=100, delivered=100)),
    )


def bare(member: Member) -> SweepRun:
    """The row of a run that left no data."""
    return row(Ran(member=member, verdict=None, recording=None))


def judged(
    sweep: SweepPlan,
    *,
    cpu: Law = linear,
    redis: Law = linear,
    p99: Law = lambda servers: 20.0,
    cores: int = 64,
    extra: tuple[Finding, ...] = (),
    missing: int = 0,
) -> Verdict:
    """The verdict over runs that follow these laws. The first ``missing`` runs were never made."""
    runs = [
        Ran(member=member, verdict=None if index < missing else a_verdict(member, *extra), recording=None)
        for index, member in enumerate(sweep.members)
    ]
    rows = {member.name: a_row(member, cpu, redis, p99) for member in sweep.members[missing:]}
    with mock.patch.object(scaling, "row", lambda ran: rows.get(ran.member.name) or bare(ran.member)):
        verdict = scaling.judge_sweep(sweep, runs, cores=cores)
    json.dumps(msgspec.to_builtins(verdict.sweep), allow_nan=False)
    return verdict


def statuses(verdict: Verdict) -> dict[str, Status]:
    return {finding.check: finding.status for finding in verdict.findings}


def test_linear_cost_and_steady_latency_pass() -> None:
    """Three runs of each point on a machine with enough cores: every finding is PASS."""
    verdict = judged(sweep_of(repeat=3))
    assert set(statuses(verdict).values()) == {Status.PASS}, statuses(verdict)
    assert verdict.status is Status.PASS
    assert verdict.claims
    assert all(claim.status is Outcome.SUPPORTED for claim in verdict.claims)


@pytest.mark.parametrize("what", ["cpu", "redis"])
@pytest.mark.parametrize("cores", [2, 64])
def test_a_planted_quadratic_cost_fails(what: str, cores: int) -> None:
    """A cost per message that grows with N² fails, even if the machine has too few cores for a speed-up."""
    verdict = judged(sweep_of(), cores=cores, **{what: quadratic})  # type: ignore[arg-type]  # one of two laws
    assert statuses(verdict)["cpu-growth" if what == "cpu" else "broker-cpu-growth"] is Status.FAIL
    assert verdict.status is Status.FAIL


def test_growing_latency_fails_where_every_server_has_a_core() -> None:
    """P99 doubles from one server count to the next."""
    verdict = judged(sweep_of(), p99=lambda servers: 5.0 * servers)
    assert statuses(verdict)["latency-stable"] is Status.FAIL


def test_growing_latency_is_not_decided_on_one_host() -> None:
    """Dozens of processes on two cores wait for each other. The summary names the check `one-host`, which limits the
    result."""
    verdict = judged(sweep_of(), p99=lambda servers: 5.0 * servers, cores=2)
    found = next(finding for finding in verdict.findings if finding.check == "latency-stable")
    assert found.status is Status.UNKNOWN
    assert "one-host" in found.summary
    assert verdict.status is Status.UNKNOWN


def test_ratios_are_not_decided_on_one_host() -> None:
    """A disturbance that makes figures worse may act at the fewest servers. Then every ratio looks better than it
    is."""
    found = statuses(judged(sweep_of(repeat=3), cores=2))
    assert {check for check, status in found.items() if status is Status.UNKNOWN} == {
        *("latency-stable", "cpu-growth", "broker-cpu-growth", "broker-bandwidth-growth", "weak-efficiency"),
        "one-host",
    }


def test_every_comparison_of_server_counts_is_a_ratio() -> None:
    """Checks that compare server counts are registered as ratios. Checks of single runs are not."""
    by_run = {"delivery-at-every-count", "latency-limit", "sweep-completeness", "validity-at-every-count", "one-host"}
    assert {check.name for check in SWEEP_CHECKS if not check.compares_ratio} == by_run


def test_two_counts_decide_nothing_about_growth() -> None:
    """Two points lie on every curve."""
    verdict = judged(sweep_of((2, 4)))
    assert verdict.status is Status.UNKNOWN
    for check in ("latency-stable", "cpu-growth", "broker-cpu-growth", "broker-bandwidth-growth", "weak-efficiency"):
        assert statuses(verdict)[check] is Status.UNKNOWN


def test_no_run_at_all_is_unknown() -> None:
    """Without a measurement there is never a PASS."""
    sweep = sweep_of()
    verdict = judged(sweep, missing=len(sweep.members))
    assert verdict.status is Status.UNKNOWN
    assert Status.PASS not in {f.status for f in verdict.findings if f.check != "one-host"}


def test_a_run_that_is_missing_leaves_performance_undecided() -> None:
    """A sweep that was stopped early proves nothing about scaling."""
    found = statuses(judged(sweep_of(), missing=1))
    assert found["sweep-completeness"] is Status.UNKNOWN
    assert found["delivery-at-every-count"] is Status.UNKNOWN
    assert found["cpu-growth"] is Status.UNKNOWN


def test_a_loss_in_one_run_fails_the_sweep() -> None:
    """Delivery must be 100 % at every server count."""
    verdict = judged(sweep_of(), extra=(a_finding("order", Kind.SAFETY, Status.FAIL),))
    assert statuses(verdict)["delivery-at-every-count"] is Status.FAIL
    assert verdict.status is Status.FAIL


def test_a_broken_limit_in_one_run_fails_the_sweep() -> None:
    """The latency limit must hold in every run."""
    slow = a_finding("latency_ms.p99", Kind.PERFORMANCE, Status.FAIL)
    assert statuses(judged(sweep_of(), extra=(slow,)))["latency-limit"] is Status.FAIL


def test_a_check_that_is_added_to_the_registry_is_asked_of_a_sweep() -> None:
    """A new check needs only its entry in the registry. A check that crashes hides no other check."""

    def crash(case: SweepCase) -> Answer:
        raise ZeroDivisionError("planted")

    made_up = Check(
        name="made-up", kind=Kind.SAFETY, function=crash, needs=(), red_when="", what_to_do="", planted_bug=""
    )
    others = statuses(judged(sweep_of()))
    with SWEEP_CHECKS.added(made_up):
        found = judged(sweep_of())
    assert statuses(found) == others | {"made-up": Status.UNKNOWN}
    assert found.status is Status.UNKNOWN


def test_an_optimistic_bias_in_one_run_decides_nothing() -> None:
    """A rate below the plan makes latency and cost look better."""
    bent = a_finding("throughput", Kind.VALIDITY, Status.UNKNOWN, Bias.OPTIMISTIC)
    found = statuses(judged(sweep_of(), extra=(bent,)))
    assert found["latency-stable"] is Status.UNKNOWN
    assert found["cpu-growth"] is Status.UNKNOWN


def test_servers_that_saturate_fail_weak_scaling() -> None:
    """At the most servers each server delivers half as much."""
    sweep = sweep_of()
    slower = {
        member.name: dataclasses.replace(member.plan, rate_hz=member.plan.rate_hz / 2)
        for member in sweep.of(Curve.WEAK)
        if member.servers == 16
    }
    members = tuple(dataclasses.replace(member, plan=slower.get(member.name, member.plan)) for member in sweep.members)
    verdict = judged(dataclasses.replace(sweep, members=members))
    assert statuses(verdict)["weak-efficiency"] is Status.FAIL


@pytest.mark.parametrize(
    ("part", "checks"), [("verdict", {"weak-efficiency", "cpu-growth"}), ("telemetry", {"cpu-growth"})]
)
def test_a_check_of_a_sweep_does_not_pass_without_what_it_needs(part: str, checks: set[str]) -> None:
    """The needed parts are those of the check's registration. The summary says which run lacks which part."""
    sweep = sweep_of(repeat=3)
    if part == "verdict":
        verdict = judged(sweep, missing=1)
    else:
        bare_cost = sweep.members[0].name
        with mock.patch(f"{__name__}.a_row", side_effect=without_cost(bare_cost)):
            verdict = judged(sweep)
    found = statuses(verdict)
    assert {found[check] for check in checks} == {Status.UNKNOWN}
    summary = next(one.summary for one in verdict.findings if one.check == "cpu-growth")
    assert sweep.members[0].name in summary


def without_cost(name: str) -> Callable[..., SweepRun]:
    made = a_row

    def one(member: Member, cpu: Law, redis: Law, p99: Law) -> SweepRun:
        row = made(member, cpu, redis, p99)
        return dataclasses.replace(row, cpu_us_per_message=None) if member.name == name else row

    return one


def test_latency_that_was_measured_on_one_curve_only_is_not_stable() -> None:
    """Every run has a verdict, but no run of the weak curve timed a delivery."""
    made = a_row

    def one(member: Member, cpu: Law, redis: Law, p99: Law) -> SweepRun:
        row = made(member, cpu, redis, p99)
        return dataclasses.replace(row, latency=None) if member.curve is Curve.WEAK else row

    with mock.patch(f"{__name__}.a_row", side_effect=one):
        assert statuses(judged(sweep_of(repeat=3)))["latency-stable"] is Status.UNKNOWN
