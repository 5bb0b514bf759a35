"""All checks of a sweep, in the order of their findings.

To add a check, add a `Check` to the registry here, and its row to docs/results.md.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.checks.check import Answer, Check, Need
from harness.checks.sweep import every_run, growth, ratios
from harness.checks.sweep.member import Ran
from harness.model.finding import Bias, Kind, Status
from harness.model.measurements.sweep_measurements import SweepMeasurements
from harness.model.registry import Registry
from harness.model.sweep_plan import SweepPlan

PLANTED = "tests/harness/checks/sweep/test_scaling.py::"
SPARE_CORES = 2
"""The database and the broker, beside the servers and the load workers."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SweepCase:
    """The input of a check of a sweep. ``measured`` has no claims and decisions yet; ``cores`` are the machine's, None
    if unknown."""

    sweep: SweepPlan
    runs: Sequence[Ran]
    measured: SweepMeasurements
    cores: int | None


def lacking(case: SweepCase) -> Mapping[Need, str]:
    """The missing parts that checks of a sweep need, by part."""
    verdicts = [ran.member.name for ran in case.runs if ran.verdict is None]
    telemetry = [row.run for row in case.measured.runs if row.cpu_us_per_message is None]
    found = {
        Need.VERDICTS: f"no verdict of {_listed(verdicts)}" if verdicts else "",
        Need.TELEMETRY: f"no telemetry of the system in {_listed(telemetry)}" if telemetry else "",
    }
    return {need: missing for need, missing in found.items() if missing}


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names[:4]) + (f" and {len(names) - 4} more" if len(names) > 4 else "")


def _one_host(case: SweepCase) -> Answer:
    """Servers, load, database and broker that share cores slow each other down, more with a larger number of them."""
    cores = case.cores
    needed = case.sweep.widest.servers + case.sweep.widest.workers + SPARE_CORES
    enough = cores is not None and cores >= needed
    summary = (
        f"{cores} cores for {needed} processes at the largest count: every server can have its own"
        if enough
        else f"{cores or 'an unknown number of'} cores for {needed} processes at the largest count: this shows the "
        "cost of a delivery and that it arrives, not parallel speed-up; latency grows with the machine's load, "
        "whatever the architecture does"
    )
    return Answer(
        status=Status.PASS if enough else Status.UNKNOWN,
        summary=summary,
        measured={"cores": cores},
        expected={"cores_at_least": needed},
        samples=1,
    )


def _growth(check: str, red_when: str, what_to_do: str) -> Check[SweepCase]:
    return Check(
        name=check,
        kind=Kind.PERFORMANCE,
        compares_ratio=True,
        # Neither a late sender nor a shared core makes a message cost more CPU or bytes the more servers there are.
        fail_stands=True,
        function=lambda case: growth.judged(check, case.measured.fits, case.measured.runs),
        needs=(Need.TELEMETRY, Need.VERDICTS),
        red_when=red_when,
        what_to_do=what_to_do,
        planted_bug=f"{PLANTED}test_a_planted_quadratic_cost_fails",
    )


SWEEP_CHECKS: Registry[Check[SweepCase]] = Registry(
    "check of a sweep",
    (
        Check(
            name="delivery-at-every-count",
            kind=Kind.SAFETY,
            function=lambda case: every_run.delivery(case.runs),
            needs=(Need.VERDICTS,),
            red_when="a safety check of any run failed. UNKNOWN when a run left no verdict",
            what_to_do="the report of the run that its examples name",
            planted_bug=f"{PLANTED}test_a_loss_in_one_run_fails_the_sweep",
        ),
        Check(
            name="latency-limit",
            kind=Kind.PERFORMANCE,
            function=lambda case: every_run.latency_limit(case.runs),
            needs=(Need.VERDICTS,),
            red_when="the latency limit was broken in a run",
            what_to_do="that run's report",
            planted_bug=f"{PLANTED}test_a_broken_limit_in_one_run_fails_the_sweep",
        ),
        Check(
            name="latency-stable",
            kind=Kind.PERFORMANCE,
            compares_ratio=True,
            function=lambda case: ratios.latency_stable(case.measured.ratios, case.sweep),
            needs=(Need.VERDICTS,),
            red_when=(
                "the P99 at some count is shown (95 %, Holm's correction for several counts) to be more than 1.25 "
                "times that at the fewest servers. PASS only if the upper 95 % bound of every ratio is at most 1.25:"
                " a difference that is not significant is no evidence of equality. Else UNKNOWN"
            ),
            what_to_do="compare the steps of the runs",
            planted_bug=f"{PLANTED}test_growing_latency_fails_where_every_server_has_a_core",
        ),
        _growth(
            "cpu-growth",
            "the CPU of servers, broker and database per message grows faster than linearly",
            "the reports of the runs: which process grows",
        ),
        _growth(
            "broker-cpu-growth",
            "the CPU of the broker per message grows faster than linearly",
            "subscriptions and output buffers in the table of the broker",
        ),
        _growth(
            "broker-bandwidth-growth",
            "the bytes that the broker sends per message grow faster than linearly",
            "the size of what is published",
        ),
        Check(
            name="weak-efficiency",
            kind=Kind.PERFORMANCE,
            compares_ratio=True,
            function=lambda case: ratios.efficient(case.measured.efficiency, case.sweep),
            needs=(Need.VERDICTS,),
            red_when="at some count a server delivers less than 0.9 of what one delivers at the fewest servers",
            what_to_do="which process of that run is saturated",
            planted_bug=f"{PLANTED}test_servers_that_saturate_fail_weak_scaling",
        ),
        Check(
            name="sweep-completeness",
            kind=Kind.VALIDITY,
            bias=Bias.OPTIMISTIC,
            function=lambda case: every_run.completeness(case.runs),
            needs=(Need.VERDICTS,),
            red_when="a planned run was not made",
            what_to_do="the message at its end; run it again",
            planted_bug=f"{PLANTED}test_a_run_that_is_missing_leaves_performance_undecided",
        ),
        Check(
            name="validity-at-every-count",
            kind=Kind.VALIDITY,
            function=lambda case: every_run.validity(case.runs),
            needs=(Need.VERDICTS,),
            red_when="a validity check of a run did not pass; the bias is that of the runs",
            what_to_do="that run's report",
            planted_bug=f"{PLANTED}test_an_optimistic_bias_in_one_run_decides_nothing",
        ),
        Check(
            name="one-host",
            kind=Kind.VALIDITY,
            bias=Bias.PESSIMISTIC,
            function=_one_host,
            needs=(),
            red_when="fewer cores than servers, load workers, database and broker. The sweep then shows cost per "
            "delivery and "
            "correctness, not parallel speed-up: latency grows with the load of the machine, whatever the "
            "architecture does",
            what_to_do="a larger machine, or several",
            planted_bug=f"{PLANTED}test_growing_latency_is_not_decided_on_one_host",
        ),
    ),
)
