"""The summary of a comparison for CI systems."""

from dataclasses import replace

from harness.comparison.compare import compare
from harness.comparison.margins import margins_of
from harness.comparison.summary import comparison_summary
from harness.model.status import Status
from harness.model.summary import CaseResult
from tests.harness.history.entries import an_entry
from tests.harness.outputs.test_junit import SCHEMA


def test_each_measure_difference_and_regression_is_a_case() -> None:
    """A measure that is worse and a safety regression are failures, an undecided measure is an error. The file follows
    the schema."""
    from harness.outputs.junit import render

    run = an_entry(1, safety={"lost": Status.FAIL})
    found = compare([an_entry(0)], [run], [], base_name="b", run_name="r", margins_percent=margins_of(()))
    summary = comparison_summary(found, sentence="s")
    assert [(case.name, case.result) for case in summary.cases] == [
        ("lost", CaseResult.FAIL),
        ("servers_cpu_us_per_delivery", CaseResult.UNKNOWN),
    ]
    SCHEMA.validate(render(summary))
    apart = replace(found, across=True)
    assert comparison_summary(apart, sentence="s").cases[1].result is CaseResult.NOTED
