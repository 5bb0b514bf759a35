"""Summaries: what a CI system gets."""

from dataclasses import replace

from harness.model.capacity import Found
from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.model.proof import Place, Proof, ProofRow
from harness.model.summary import CaseResult, Summary
from harness.outputs.summary import capacity_summary, figure_words, proof_summary
from tests.harness import searches
from tests.harness.outputs import summaries
from tests.harness.report import verdicts


def noted() -> Summary:
    """A run that passed although other programs took CPU time."""
    finding = Finding(
        check="foreign-cpu",
        kind=Kind.VALIDITY,
        status=Status.UNKNOWN,
        summary="other programs used CPU",
        measured={"cpu_cores": 0.5},
        expected={"cpu_cores_below": 0.2},
        bias=Bias.PESSIMISTIC,
    )
    verdict: Verdict = verdicts.passed()
    return summaries.of(replace(verdict, findings=(*verdict.findings, finding)))


def test_a_pessimistic_bias_is_noted() -> None:
    """A pessimistic bias alone does not change the verdict, so the case is neither a pass nor an error."""
    case = next(case for case in noted().cases if case.name == "foreign-cpu")
    assert case.result is CaseResult.NOTED
    assert "1 noted" in noted().sentence


def test_checks_that_were_not_asked_are_skipped() -> None:
    """A check that does not apply stays in the file, so a check that disappears is noticed."""
    results = {case.name: case.result for case in summaries.passed().cases}
    assert results["reconnected"] is CaseResult.SKIPPED
    assert results["lost"] is CaseResult.PASS


def test_members_of_a_sweep_bring_their_measures() -> None:
    """The name of each measure of a member begins with the member's place."""
    found = summaries.of(verdicts.passed(), members={"constant 4 servers, 1": verdicts.passed()})
    assert "constant 4 servers, 1: delivery_p99_ms" in found.measures


def test_figures_are_words_with_their_names() -> None:
    """Nested figures keep all their names."""
    assert figure_words({"lost": 3, "by": {"hop": "server-1"}}) == "lost=3 by=(hop=server-1)"
    assert figure_words(None) == ""


def row(name: str, *wrong: str) -> ProofRow:
    return ProofRow(
        name=name,
        place=Place.WAY,
        planted="a delivery is dropped",
        events=1,
        demanded=("lost FAIL",),
        said=("lost PASS",),
        found=0,
        wrong=wrong,
        took_s=1.0,
    )


def test_a_proof_fails_where_a_bug_was_not_found() -> None:
    """A row with an unexpected result is a failure, and its details say what was wrong."""
    proof = Proof(
        version="1",
        scope="quick",
        began="2026-01-01T00:00:00Z",
        took_s=2.0,
        machine="m",
        rows=(row("a"), row("b", "not found")),
    )
    found = proof_summary(proof)
    assert found.status is Status.FAIL
    assert [case.result for case in found.cases] == [CaseResult.PASS, CaseResult.FAIL]
    assert found.cases[1].details == ("not found",)


def test_an_interrupted_proof_is_unknown() -> None:
    """Rows that were not tried prove nothing."""
    proof = Proof(version="1", scope="quick", began="", took_s=2.0, machine="m", rows=(row("a"),), complete=False)
    assert proof_summary(proof).status is Status.UNKNOWN


def test_a_search_is_one_case_with_its_load() -> None:
    """A lower bound passes, as in the exit code. It gives no capacity that could be compared."""
    found = replace(searches.a_capacity(), found=Found.CAPACITY, value=500, broke_at=600)
    summary = capacity_summary(found, verdicts.MACHINE, verdicts.EVENTS, sentence="s")
    assert (summary.status, summary.measures["capacity"].value) == (Status.PASS, 500.0)
    assert summary.labels["varied"] == "rate"
    bound = replace(found, found=Found.LOWER_BOUND)
    summary = capacity_summary(bound, verdicts.MACHINE, verdicts.EVENTS, sentence="s")
    assert (summary.status, dict(summary.measures)) == (Status.PASS, {})
