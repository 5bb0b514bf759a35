"""--benchmark-json: the format that github-action-benchmark reads."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import fastjsonschema
import pytest

from harness.model.history import Measured
from harness.model.summary import Summary
from harness.outputs.benchmark_json import render
from tests.harness.outputs import summaries

VALID = fastjsonschema.compile(json.loads((Path(__file__).with_name("schemas") / "benchmark.json").read_text()))


@pytest.mark.parametrize("make", summaries.EVERY)
def test_every_summary_is_valid_by_the_schema(make: Callable[[], Summary]) -> None:
    """Each object has a name, a unit and a value."""
    VALID(json.loads(render(make())))


def test_a_capacity_is_left_out() -> None:
    """The tool knows one direction for a whole file, so it would report a higher capacity as a regression."""
    summary = replace(summaries.empty(), measures={"capacity": Measured(value=500.0)})
    assert json.loads(render(summary)) == []
