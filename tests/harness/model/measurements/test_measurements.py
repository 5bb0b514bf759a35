"""verdict.json holds measurements without a loss."""

import dataclasses
import json
from typing import Any

import msgspec
import pytest

from harness.model.measurements.delivery import DeliveryByPhase, DeliveryCounts
from harness.model.measurements.matrix_measurements import MatrixMeasurements
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.recovery import Recovery
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.measurements.sweep_measurements import SweepMeasurements
from tests.harness.model.measurements.examples import filled, structs


@pytest.mark.parametrize("kind", [RunMeasurements, SweepMeasurements, MatrixMeasurements])
def test_json_keeps_every_field(kind: Any) -> None:
    """Encoded and decoded measurements are equal to the original and of the same types."""
    whole = filled(kind)
    assert msgspec.convert(json.loads(json.dumps(msgspec.to_builtins(whole))), kind) == whole


@pytest.mark.parametrize("kind", [RunMeasurements, SweepMeasurements, MatrixMeasurements])
def test_an_unmeasured_figure_is_null_in_json(kind: Any) -> None:
    """None stays None: a figure that was not measured is never a number."""
    bare = {
        field.name: filled(field.type)
        for field in dataclasses.fields(kind)
        if field.default is dataclasses.MISSING and field.default_factory is dataclasses.MISSING
    }
    value = kind(**bare)
    document = msgspec.to_builtins(value)
    assert msgspec.convert(document, kind) == value
    for field in dataclasses.fields(kind):
        if field.default is None:
            assert document[field.name] is None


@pytest.mark.parametrize("kind", list(structs()), ids=lambda kind: kind.__name__)
def test_every_type_is_frozen_and_named(kind: Any) -> None:
    """A measurement cannot be changed after it was made, and its fields are given by name."""
    assert kind.__dataclass_params__.frozen
    assert all(field.kw_only for field in dataclasses.fields(kind))


def test_a_statistic_is_found_by_its_name() -> None:
    """An expectation names a statistic; each name gives its own field."""
    found = Percentiles(count=1, p50_ms=1, p95_ms=2, p99_ms=3, p999_ms=4, max_ms=5)
    assert [found.at_ms(name) for name in ("p50", "p95", "p99", "p999", "max")] == [1, 2, 3, 4, 5]


def test_the_total_of_the_phases_is_their_sum() -> None:
    """Every count is summed over probe, warm-up and measured window."""
    one = filled(DeliveryCounts)
    phases = DeliveryByPhase(probe=one, warm_up=one, measured=one)
    assert set(dataclasses.asdict(phases.total).values()) == {21}


def test_times_on_the_axis_count_from_the_first_measured_message() -> None:
    """0 on the axis of the report is the intended time of the first measured message. A missing time stays None."""
    recovery = dataclasses.replace(filled(Recovery), origin_ns=5_000_000_000)
    assert recovery.on_axis_s(7_250_000_000) == 2.25
    assert recovery.on_axis_s(None) is None
