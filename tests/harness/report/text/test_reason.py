from dataclasses import replace

from harness.model.expectation import Expectation
from harness.model.finding import Bias, Status
from harness.report.text.reason import limit_ms, ranked, reason
from tests.harness.plans import a_plan
from tests.harness.report import verdicts


def test_what_decides_comes_first() -> None:
    """The order is FAIL, UNKNOWN, PASS, and then SAFETY, PERFORMANCE, VALIDITY. Equal findings keep their order."""
    assert [finding.check for finding in ranked(verdicts.failed().findings)] == [
        "lost",
        "latency_ms.p99",
        "send_late",
        "duplicates",
        "order",
        "phantoms",
        "stored",
    ]


def test_a_verdict_gives_its_first_decisive_finding() -> None:
    """The reason of a FAIL is its first failure, with the number of the others."""
    failed = verdicts.failed()
    assert reason(failed) == "37 of 1 310 000 expected deliveries never arrived."
    second = replace(failed.findings[4], check="order")
    assert reason(replace(failed, findings=(*failed.findings, second))).endswith(" 1 more check failed.")


def test_a_pass_says_that_every_validity_check_passed() -> None:
    """The sentence names the validity checks, and a bias that does not change the PASS."""
    passed = verdicts.passed()
    assert reason(passed) == "All 9 checks passed: every criterion was met, and every validity check passed."
    assert reason(replace(passed, findings=passed.findings[:3])) == "All 3 checks passed."
    biased = replace(passed.findings[-1], status=Status.UNKNOWN, bias=Bias.PESSIMISTIC)
    assert reason(replace(passed, findings=(*passed.findings[:-1], biased))) == (
        "All other checks passed. These validity checks did not pass: steal. "
        "Their bias can only have made the figures worse."
    )


def test_without_findings_there_is_no_pass() -> None:
    """The sentence says that nothing was checked, or that no finding explains the verdict."""
    passed = verdicts.passed()
    assert "No check was made on this recording" in reason(replace(passed, findings=()))
    assert reason(replace(passed, status=Status.FAIL)) == "The findings do not say why; see the criteria below."


def test_the_lowest_limit_counts() -> None:
    """If a plan limits one figure twice, the lower limit decides. Without a limit the result is None."""
    limits = [Expectation(measure="latency_ms", statistic="p99", limit_ms=limit) for limit in (100.0, 50.0)]
    plan = a_plan(expectations=tuple(limits))
    assert limit_ms(plan, "latency_ms", "p99") == 50.0
    assert limit_ms(plan, "latency_ms", "p50") is None
