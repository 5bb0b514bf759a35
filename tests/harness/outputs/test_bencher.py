"""--bencher: the output is valid by Bencher's own schema."""

import json
from collections.abc import Callable
from pathlib import Path

import fastjsonschema
import pytest

from harness.model.summary import Summary
from harness.outputs.bencher import render
from tests.harness.outputs import summaries

VALID = fastjsonschema.compile(json.loads((Path(__file__).with_name("schemas") / "bmf.json").read_text()))


@pytest.mark.parametrize("make", summaries.EVERY)
def test_every_summary_is_valid_by_the_schema(make: Callable[[], Summary]) -> None:
    """The file follows the schema that Bencher publishes."""
    VALID(json.loads(render(make())))


def test_the_ends_of_the_interval_are_the_bounds() -> None:
    """Each point of a sweep is a benchmark. Its metric has the value and the ends of the interval."""
    (benchmark,) = json.loads(render(summaries.hostile())).items()
    assert benchmark[0].endswith("constant 4 servers, 1")
    assert benchmark[1] == {"delivery_p99_ms": {"value": 12.0, "lower_value": 11.0, "upper_value": 13.0}}
