"""--openmetrics: both parsers of prometheus_client can read the output."""

from collections.abc import Callable

import pytest
from prometheus_client import parser as text_format
from prometheus_client.openmetrics import parser as openmetrics

from harness.model.summary import Summary
from harness.outputs.openmetrics import render
from tests.harness.outputs import summaries


@pytest.mark.parametrize("make", summaries.EVERY)
def test_the_parsers_of_both_formats_read_it(make: Callable[[], Summary]) -> None:
    """Readers of OpenMetrics and readers of the older Prometheus text get the same samples from the same file."""
    text = render(make())
    new = [sample for family in openmetrics.text_string_to_metric_families(text) for sample in family.samples]
    old = [sample for family in text_format.text_string_to_metric_families(text) for sample in family.samples]
    assert [(one.name, one.labels, one.value) for one in new] == [(one.name, one.labels, one.value) for one in old]
    assert text.endswith("# EOF\n")


def test_values_are_in_base_units() -> None:
    """Milliseconds become seconds. The labels say which run it was."""
    summary = summaries.passed()
    families = {family.name: family for family in openmetrics.text_string_to_metric_families(render(summary))}
    sample = families["harness_delivery_p99_seconds"].samples[0]
    assert sample.value == pytest.approx(summary.measures["delivery_p99_ms"].value / 1000)
    assert sample.labels["scenario"] == "scenario-a"
    assert sample.labels["servers"] == "4"


def test_exactly_one_verdict_is_true() -> None:
    """A reader can set an alert on the verdict and need not know every possible value."""
    families = {
        family.name: family for family in openmetrics.text_string_to_metric_families(render(summaries.failed()))
    }
    assert {s.labels["verdict"]: s.value for s in families["harness_verdict"].samples} == {
        "pass": 0,
        "unknown": 0,
        "fail": 1,
    }
