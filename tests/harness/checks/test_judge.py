"""From findings to a verdict."""

from collections.abc import Callable
from pathlib import Path
from unittest import mock

import pytest

from harness.checks.check import Answer, Case, Check
from harness.checks.judge import apply_bias, overall
from harness.checks.registry import CHECKS
from harness.model.expectation import Expectation
from harness.model.fault import FaultKind, Target
from harness.model.finding import Bias, Finding, Kind, Status
from tests.harness.checks.run.outages import lasting
from tests.harness.recordings import HandMade, finding


def a_finding(kind: Kind, status: Status, bias: Bias | None = None) -> Finding:
    return Finding(check=f"{kind}", kind=kind, status=status, summary="", measured=0, expected=0, bias=bias)


@pytest.mark.parametrize(
    ("bias", "before", "after"),
    [
        (None, Status.PASS, Status.PASS),
        (None, Status.FAIL, Status.FAIL),
        (Bias.PESSIMISTIC, Status.PASS, Status.PASS),
        (Bias.PESSIMISTIC, Status.FAIL, Status.UNKNOWN),
        (Bias.OPTIMISTIC, Status.PASS, Status.UNKNOWN),
        (Bias.OPTIMISTIC, Status.FAIL, Status.UNKNOWN),
    ],
)
def test_a_bias_acts_by_its_direction(bias: Bias | None, before: Status, after: Status) -> None:
    """With a pessimistic bias a PASS stays. With an optimistic bias neither PASS nor FAIL stays."""
    validity = a_finding(Kind.VALIDITY, Status.UNKNOWN if bias else Status.PASS, bias)
    performance = a_finding(Kind.PERFORMANCE, before)
    assert apply_bias([validity, performance])[1].status == after


def a_comparison(*, compares_ratio: bool = False, fail_stands: bool = False) -> Check[None]:
    return Check(
        name=f"{Kind.PERFORMANCE}",
        kind=Kind.PERFORMANCE,
        function=lambda case: Answer(status=Status.PASS, summary=""),
        compares_ratio=compares_ratio,
        fail_stands=fail_stands,
        needs=(),
        red_when="",
        what_to_do="",
        planted_bug="",
    )


@pytest.mark.parametrize("bias", list(Bias))
@pytest.mark.parametrize("before", [Status.PASS, Status.FAIL])
def test_a_ratio_is_not_decided_with_any_bias(bias: Bias, before: Status) -> None:
    """With foreign load before the outage, 103 ms before it and 93 ms during it do not show that nothing became
    slower."""
    findings = [a_finding(Kind.VALIDITY, Status.UNKNOWN, bias), a_finding(Kind.PERFORMANCE, before)]
    assert apply_bias(findings, [a_comparison(compares_ratio=True)])[1].status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("check", "fault"),
    [
        ("ack-during-outage", (Target.BROKER, FaultKind.STOP)),
        ("bystanders", (Target.CLIENTS, FaultKind.PAUSE, "client-0")),
    ],
)
def test_a_disturbed_machine_leaves_the_ratios_of_a_run_undecided(
    tmp_path: Path, check: str, fault: tuple[Target, FaultKind]
) -> None:
    """The disk stalled for a hundredth of the time. It may have slowed the time before the outage alone, so that the time
    during the outage looks good."""
    run = lasting(7, *fault)
    assert finding(run.verdict(tmp_path / "quiet"), check).status is Status.PASS
    run.disk_stalled_share = 0.01
    verdict = run.verdict(tmp_path / "disturbed")
    assert finding(verdict, "disk").status is Status.UNKNOWN
    assert finding(verdict, check).status is Status.UNKNOWN
    assert verdict.status is Status.UNKNOWN


@pytest.mark.parametrize(("before", "after"), [(Status.PASS, Status.UNKNOWN), (Status.FAIL, Status.FAIL)])
def test_a_failure_that_no_slowness_causes_stands(before: Status, after: Status) -> None:
    """A PASS of such a check does not stay: a slow baseline may have improved the ratio."""
    findings = [a_finding(Kind.VALIDITY, Status.UNKNOWN, Bias.PESSIMISTIC), a_finding(Kind.PERFORMANCE, before)]
    assert apply_bias(findings, [a_comparison(compares_ratio=True, fail_stands=True)])[1].status is after


@pytest.mark.parametrize("bias", list(Bias))
def test_a_bias_leaves_safety_standing(bias: Bias) -> None:
    """A lost message is lost, even if the sender was late."""
    validity = a_finding(Kind.VALIDITY, Status.UNKNOWN, bias)
    for status in Status:
        assert apply_bias([validity, a_finding(Kind.SAFETY, status)])[1].status == status


def test_a_pass_measured_unfavourably_is_a_pass() -> None:
    """A pessimistic bias alone does not change the verdict. An optimistic bias does."""
    passed = a_finding(Kind.PERFORMANCE, Status.PASS)
    assert overall([passed, a_finding(Kind.VALIDITY, Status.UNKNOWN, Bias.PESSIMISTIC)]) is Status.PASS
    assert overall([passed, a_finding(Kind.VALIDITY, Status.UNKNOWN, Bias.OPTIMISTIC)]) is Status.UNKNOWN


def test_the_verdict_is_the_worst_finding() -> None:
    """The order is PASS < UNKNOWN < FAIL. Without findings the verdict is UNKNOWN."""
    passed, failed = a_finding(Kind.SAFETY, Status.PASS), a_finding(Kind.SAFETY, Status.FAIL)
    assert overall([passed, a_finding(Kind.SAFETY, Status.UNKNOWN), failed]) is Status.FAIL
    assert overall([]) is Status.UNKNOWN


def a_check(name: str, function: Callable[[Case], Answer]) -> Check[Case]:
    """A made-up check."""
    return Check(name=name, kind=Kind.SAFETY, function=function, needs=(), red_when="", what_to_do="", planted_bug="")


def test_a_check_that_crashes_says_unknown_and_hides_no_other(tmp_path: Path) -> None:
    """A check that crashed proves nothing. It has one finding under its own name, and all other checks are made as
    before."""

    def crash(case: Case) -> Answer:
        raise ZeroDivisionError("planted")

    run = HandMade()
    run.post(0)
    others = {found.check for found in run.verdict(tmp_path).findings}
    with CHECKS.added(a_check("made-up", crash)):
        verdict = run.verdict(tmp_path)
    assert finding(verdict, "made-up").status is Status.UNKNOWN
    assert "ZeroDivisionError: planted" in finding(verdict, "made-up").summary
    assert finding(verdict, "lost").status is Status.PASS
    assert {found.check for found in verdict.findings} == others | {"made-up"}
    assert verdict.status is Status.UNKNOWN


def test_a_check_that_is_added_to_the_registry_is_asked(tmp_path: Path) -> None:
    """A new check needs only its entry in the registry."""
    run = HandMade()
    run.post(0)

    def one_message(case: Case) -> Answer:
        return Answer(status=Status.FAIL, summary="made up", measured=len(case.evidence.schedule))

    with CHECKS.added(a_check("made-up", one_message)):
        verdict = run.verdict(tmp_path)
    assert finding(verdict, "made-up").measured == 1
    assert verdict.status is Status.FAIL
    assert "made-up" not in {found.check for found in run.verdict(tmp_path).findings}


def test_an_expectation_without_a_registered_check_is_judged(tmp_path: Path) -> None:
    """A scenario may limit any statistic of any measured latency."""
    wish = Expectation(measure="completion_ms", statistic="max", limit_ms=1)
    run = HandMade(changes={"expectations": (wish,)})
    for _ in range(300):
        run.post(0)
    assert finding(run.verdict(tmp_path), "completion_ms.max").status is Status.FAIL


def test_an_empty_recording_proves_nothing(tmp_path: Path) -> None:
    """Without messages and deliveries no safety check and no performance check passes."""
    verdict = HandMade(audited=False, traced=False, ended="interrupted").verdict(tmp_path)
    decided = {found.check: found.status for found in verdict.findings if found.kind is not Kind.VALIDITY}
    assert set(decided.values()) == {Status.UNKNOWN}
    assert verdict.status is Status.UNKNOWN


def test_a_run_that_ended_early_proves_no_loss(tmp_path: Path) -> None:
    """A delivery that had not arrived when the run was cut short may have been on its way."""
    run = HandMade(ended="interrupted")
    run.post(0, to=[0])
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "lost").status is Status.UNKNOWN
    assert verdict.status is Status.UNKNOWN


def test_a_missing_audit_leaves_durability_open(tmp_path: Path) -> None:
    """The database was not read, so the check is UNKNOWN, not PASS."""
    run = HandMade(audited=False)
    run.post(0)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "acknowledged-not-stored").status is Status.UNKNOWN


def test_a_trace_is_asked_of_our_own_servers_only(tmp_path: Path) -> None:
    """An external server need not keep a trace. In `embedded` a missing trace leaves the check undecided."""
    for environment, status in (("embedded", Status.UNKNOWN), ("external", None)):
        run = HandMade(traced=False, changes={"environment": environment})
        run.post(0)
        found = {f.check: f.status for f in run.verdict(tmp_path).findings}
        assert found.get("commit-order") == status


@pytest.mark.parametrize("part", ["_series", "claims.compare", "claims.decide"])
def test_what_cannot_be_drawn_or_compared_is_missed_by_a_check(tmp_path: Path, part: str) -> None:
    """The check `not-measured` comes after all attempts, including curves, claims and decisions."""
    run = HandMade()
    run.post(0)
    with mock.patch(
        f"harness.checks.judge.{part.replace('_series', 'latency.series')}", side_effect=IndexError("planted")
    ):
        verdict = run.verdict(tmp_path)
    found = finding(verdict, "not-measured")
    assert (found.status, found.bias) == (Status.UNKNOWN, Bias.OPTIMISTIC)
    assert "planted" in " ".join((found.summary, *found.examples))
