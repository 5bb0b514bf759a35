"""--junit: CI systems read the same result as the verdict."""

import xml.etree.ElementTree as Xml
from collections.abc import Callable
from pathlib import Path

import pytest
import xmlschema

from harness.model.summary import CaseResult, Summary
from harness.outputs.junit import render
from tests.harness.outputs import summaries

SCHEMA = xmlschema.XMLSchema(Path(__file__).with_name("schemas") / "junit.xsd")


@pytest.mark.parametrize("make", summaries.EVERY)
def test_every_summary_is_valid_by_the_schema(make: Callable[[], Summary]) -> None:
    """The file is well-formed XML that follows the schema, for any text in it."""
    SCHEMA.validate(render(make()))


def test_results_become_the_elements_that_ci_systems_count() -> None:
    """FAIL is a failure with its numbers, UNKNOWN is an error, and not applicable is skipped. The counts agree."""
    summary = summaries.failed()
    suite = Xml.fromstring(render(summary)).find("testsuite")
    assert suite is not None
    for tag, result in (("failure", CaseResult.FAIL), ("error", CaseResult.UNKNOWN)):
        named = [case.get("name") for case in suite.iter("testcase") if case.find(tag) is not None]
        assert named == [case.name for case in summary.cases if case.result is result]
        assert int(suite.get({"failure": "failures", "error": "errors"}[tag]) or -1) == len(named)
    lost = next(case for case in suite.iter("testcase") if case.get("name") == "lost").find("failure")
    assert lost is not None
    assert "measured: lost=37" in (lost.text or "")
    assert "expected: lost=0" in (lost.text or "")


def test_what_is_only_noted_is_not_red() -> None:
    """A run with a pessimistic bias can still be PASS (exit code 0). The file of that run then has no error."""
    from tests.harness.outputs.test_summary import noted

    suite = Xml.fromstring(render(noted())).find("testsuite")
    assert suite is not None
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0")
    assert suite.find("testcase[@name='foreign-cpu']/skipped") is not None


def test_properties_hold_machine_plan_and_seed() -> None:
    """The properties of a nightly run say on which machine it was measured and how to repeat it."""
    root = Xml.fromstring(render(summaries.passed()))
    names = {element.get("name"): element.get("value") for element in root.iter("property")}
    assert names["seed"] == "1"
    assert names["machine.cores"] == "2"
    assert names["plan.servers"] == "4"
    assert names["verdict"] == "pass"
