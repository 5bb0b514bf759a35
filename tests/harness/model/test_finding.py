from dataclasses import replace

from harness.model.finding import Status, Verdict
from tests.harness.plans import a_plan
from tests.harness.report import sweep_verdicts, verdicts


def test_claims_and_decisions_are_those_of_the_run_or_the_sweep() -> None:
    """A reader need not know whether a verdict belongs to a run or to a sweep."""
    run, sweep = verdicts.passed(), sweep_verdicts.passed()
    assert run.run is not None
    assert sweep.sweep is not None
    assert run.claims == run.run.claims
    assert run.decisions == run.run.decisions
    assert sweep.claims == sweep.sweep.claims
    assert sweep.decisions == sweep.sweep.decisions


def test_a_verdict_without_measurements_claims_nothing() -> None:
    bare = Verdict(status=Status.UNKNOWN, findings=(), plan=a_plan())
    assert bare.claims == ()
    assert bare.decisions == ()
    assert replace(bare, status=Status.FAIL).claims == ()
