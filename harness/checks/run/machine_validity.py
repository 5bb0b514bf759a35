"""Did the machine and the load generator's processes have the resources that the measurement needs?"""

from harness.checks.check import Answer, Case, Check, Need, below_limit
from harness.checks.run import resources
from harness.model.finding import Bias, Kind

PLANTED = "tests/harness/checks/run/test_machine_validity.py::"

# Conventions, fixed before the first run was judged by them (docs/results.md says why each).
GENERATOR_CORES_LIMIT = 0.8
FOREIGN_SHARE_LIMIT = 0.1
STEAL_PERCENT_LIMIT = 1.0
DISK_STALLED_PERCENT_LIMIT = 0.5
"""Stalls in a hundredth of the time decide a P99; a probe at intervals sees about half of them."""


def _generator_cpu(case: Case) -> Answer:
    """A worker that fills its core stamps deliveries late: figures can only be worse than the system deserves."""
    found = resources.samples(case.evidence.recording)
    names = ["publisher", *(f"worker-{number:02}" for number in range(case.evidence.plan.workers))]
    used = [value for name in names if (value := resources.cores(found, name)) is not None]
    text = "CPU of the busiest process of the load generator"
    return below_limit(max(used, default=None), GENERATOR_CORES_LIMIT, text, "cpu_cores", samples=len(found))


def _foreign_cpu(case: Case) -> Answer:
    """CPU of the machine beside the run; it includes interrupts and kernel threads, a few hundredths of a core."""
    found = resources.samples(case.evidence.recording)
    busy = resources.rate(found, "machine", "busy_s")
    names = {name for sample in found for name in sample.get("processes", {})}
    ours = sum(resources.cores(found, name) or 0.0 for name in names)
    foreign = None if busy is None else max(0.0, busy - ours)
    limit = FOREIGN_SHARE_LIMIT * _cores(case)
    return below_limit(foreign, limit, "CPU that programs outside the run used", "cpu_cores", samples=len(found))


def _steal(case: Case) -> Answer:
    found = resources.samples(case.evidence.recording)
    steal = resources.rate(found, "machine", "steal_s")
    percent = None if steal is None else 100 * steal / _cores(case)
    text = "time of the machine that the hypervisor gave to other virtual machines"
    return below_limit(percent, STEAL_PERCENT_LIMIT, text, "steal_percent", samples=len(found))


def _cores(case: Case) -> int:
    return int(case.evidence.recording.machine.get("limits", {}).get("cores", 1))


def _disk(case: Case) -> Answer:
    found = resources.samples(case.evidence.recording)
    stalled = resources.rate(found, "machine", "disk_stalled_s")
    percent = None if stalled is None else 100 * stalled
    text = "time in which the disk delayed a write of one page by 30 ms or longer"
    return below_limit(percent, DISK_STALLED_PERCENT_LIMIT, text, "stalled_percent", samples=len(found))


def _disk_was_measured(case: Case) -> bool:
    """The check is left out if the disk was not measured: it can only turn a FAIL into UNKNOWN, so it never changes a
    PASS. The disk of an external cluster is on another machine."""
    found = resources.samples(case.evidence.recording)
    return case.evidence.owns_servers and resources.rate(found, "machine", "disk_stalled_s") is not None


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="generator-cpu",
        kind=Kind.VALIDITY,
        bias=Bias.PESSIMISTIC,
        function=_generator_cpu,
        needs=(Need.TELEMETRY, Need.EVENTS),
        red_when="a process of the load generator uses 0.8 of a core or more",
        what_to_do="fewer clients or deliveries",
        planted_bug=f"{PLANTED}test_a_busy_machine_is_found",
    ),
    Check(
        name="foreign-cpu",
        kind=Kind.VALIDITY,
        bias=Bias.PESSIMISTIC,
        function=_foreign_cpu,
        # Processes of an external cluster on this machine cannot be distinguished from foreign ones.
        applies=lambda case: case.evidence.owns_servers,
        needs=(Need.TELEMETRY, Need.EVENTS),
        red_when=(
            "programs that are not part of the run used a tenth of the cores or more. Does not apply to an external "
            "cluster"
        ),
        what_to_do="stop the other programs",
        planted_bug=f"{PLANTED}test_a_busy_machine_is_found",
    ),
    Check(
        name="disk",
        kind=Kind.VALIDITY,
        bias=Bias.PESSIMISTIC,
        function=_disk,
        applies=_disk_was_measured,
        needs=(Need.TELEMETRY, Need.EVENTS),
        red_when="for 0.5 % of the time or more the disk delayed a write of one page by 30 ms or longer, so commits "
        "waited as long. The harness tries such a write 20 times a second in the temporary folder. Does not apply to "
        "an external cluster",
        what_to_do="use another disk for `TMPDIR`, or run at another time",
        planted_bug=f"{PLANTED}test_a_disk_that_stands_still_excuses_a_failure_and_spoils_no_success",
    ),
    Check(
        name="steal",
        kind=Kind.VALIDITY,
        bias=Bias.PESSIMISTIC,
        function=_steal,
        needs=(Need.TELEMETRY, Need.EVENTS),
        red_when="the hypervisor gave 1 % of the time or more to other virtual machines",
        what_to_do="use another machine, or run at another time",
        planted_bug=f"{PLANTED}test_a_busy_machine_is_found",
    ),
)
