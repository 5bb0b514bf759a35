"""Parts that the checks of a sweep lack, and the cores that they require."""

from dataclasses import replace

from harness.checks.check import Need
from harness.checks.sweep.member import Ran
from harness.checks.sweep.sweep_checks import SPARE_CORES, SWEEP_CHECKS, SweepCase, lacking
from harness.model.finding import Status
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.sweep_measurements import SweepMeasurements
from tests.harness.checks.sweep.test_scaling import a_row, a_verdict, linear, sweep_of

SWEEP = sweep_of((2, 4))


def a_case(*, without_verdict: int = 0, without_telemetry: int = 0, cores: int | None = 8) -> SweepCase:
    """The first ``without_verdict`` runs have no verdict, and the first ``without_telemetry`` runs have no
    telemetry."""
    runs = [
        Ran(member=member, verdict=None if n < without_verdict else a_verdict(member), recording=None)
        for n, member in enumerate(sweep_of((2, 4, 8, 16)).members)
    ]
    rows = [a_row(ran.member, linear, linear, linear) for ran in runs]
    rows = [replace(row, cpu_us_per_message=None) if n < without_telemetry else row for n, row in enumerate(rows)]
    measured = SweepMeasurements(
        delivery=DeliveryCounts(),
        server_counts=(2, 4),
        clients_per_server=1,
        weak_rate_per_server_hz=1.0,
        predicted_s=1.0,
        runs=tuple(rows),
    )
    return SweepCase(sweep=SWEEP, runs=runs, measured=measured, cores=cores)


def test_a_whole_sweep_lacks_nothing() -> None:
    """Every run has a verdict and telemetry."""
    assert lacking(a_case()) == {}


def test_each_part_that_is_missing_is_told_with_its_runs() -> None:
    """A run without telemetry still has its verdict."""
    case = a_case(without_telemetry=1)
    name = case.runs[0].member.name
    assert lacking(case) == {Need.TELEMETRY: f"no telemetry of the system in {name}"}
    assert lacking(a_case(without_verdict=1)) == {Need.VERDICTS: f"no verdict of {name}"}


def test_four_runs_are_named_and_the_others_counted() -> None:
    """With exactly four runs there are no others to count."""
    assert " and " not in lacking(a_case(without_verdict=4))[Need.VERDICTS]
    case = a_case(without_verdict=6)
    names = ", ".join(ran.member.name for ran in case.runs[:4])
    assert lacking(case)[Need.VERDICTS] == f"no verdict of {names} and 2 more"


def test_one_host_needs_a_core_for_each_process() -> None:
    """The servers and load workers of the widest run, the database and the broker need one core each. With one core
    fewer no speed-up can be shown."""
    needed = SWEEP.widest.servers + SWEEP.widest.workers + SPARE_CORES
    assert SWEEP.widest.servers == 4
    ask = SWEEP_CHECKS.get("one-host").function
    enough = ask(a_case(cores=needed))
    assert (enough.status, enough.expected) == (Status.PASS, {"cores_at_least": needed})
    few = ask(a_case(cores=needed - 1))
    assert (few.status, few.measured) == (Status.UNKNOWN, {"cores": needed - 1})
    unknown = ask(a_case(cores=None))
    assert unknown.status is Status.UNKNOWN
    assert unknown.summary.startswith("an unknown number of cores")
