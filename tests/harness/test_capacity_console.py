"""The terminal output of a capacity search."""

from harness.capacity_console import found_lines, plan_lines, step_line
from tests.harness.searches import BROKE, a_capacity, a_search, a_step


def test_the_plan_says_what_is_searched_for() -> None:
    """The line gives the varied number, the limit and the first value."""
    *_, line = plan_lines(a_search())
    assert "the highest rate" in line
    assert "within 100 ms" in line
    assert "from 1,000 messages/s on" in line


def test_a_step_is_one_line() -> None:
    """The line gives the load, the result, the P99, the cores and the reason."""
    assert step_line(a_search(), a_step(2, 2_000, BROKE)) == (
        "step 2: 2,000 messages/s: broke · P99 400.0 ms · 2.00 cores busy · P99 is not below 100 ms"
    )


def test_the_result_lists_the_loads_from_the_smallest_on() -> None:
    """The first line is the result. The steps follow."""
    first, *steps = found_lines(a_capacity())
    assert first.startswith("CAPACITY  scenario-a: 1")
    assert [line.split(":")[1].strip() for line in steps] == [
        f"{value:,} messages/s" for value in (1_000, 1_400, 1_400, 1_500, 1_700, 2_000)
    ]
