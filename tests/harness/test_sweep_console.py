"""The terminal output of a sweep."""

from harness.model.scenario import Size
from harness.planning.request import Request
from harness.sweep_console import plan_lines
from tests.harness.planning.test_sweep_planner import planned


def test_the_plan_says_why_a_sweep_has_no_pilot() -> None:
    """One sentence says it, if sizing chose the numbers. Sizing does not choose the smoke size."""
    chosen = [line for line in plan_lines(planned(Request(server_counts=(2, 4)))) if line.startswith("size ")]
    assert len(chosen) == 1
    assert "by the prediction: a pilot would have to connect all clients" in chosen[0]
    assert not any(line.startswith("size ") for line in plan_lines(planned(Request(size=Size.SMOKE))))
