"""The figures of a capacity search."""

from dataclasses import replace

from harness.model.capacity import CoresUsed
from harness.report.plots.capacity_figures import capacity_drawings
from tests.harness.searches import a_capacity


def test_latency_and_cpu_are_drawn_over_the_load() -> None:
    """Each figure has a summary in words, from the smallest load to the largest."""
    latency, cpu = capacity_drawings(a_capacity())
    assert latency.summary == "P50: 10 at 1,000, 20 at 2,000, P99: 40 at 1,000, 400 at 2,000 (ms at messages/s)"
    assert cpu.summary.startswith("machine: 1 at 1,000, 2 at 2,000")
    assert "limit P99 100 ms" in latency.svg


def test_what_was_not_measured_is_not_drawn() -> None:
    """Without telemetry only the latency is drawn. Without a step nothing is drawn."""
    capacity = a_capacity()
    dark = replace(capacity, steps=tuple(replace(step, cores=CoresUsed()) for step in capacity.steps))
    assert [drawing.name for drawing in capacity_drawings(dark)] == ["capacity_latency"]
    assert capacity_drawings(replace(capacity, steps=())) == ()
