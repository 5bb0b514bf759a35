"""Margins: the size of a change that does not matter, as options set it."""

import pytest

from harness.comparison.margins import margins_of
from harness.model.errors import UsageError
from harness.model.measure import MARGINS_PERCENT, MEASURES


def test_without_an_option_each_group_has_its_usual_margin() -> None:
    """Every measure has a margin."""
    found = margins_of(())
    assert set(found) == set(MEASURES.names)
    assert all(found[measure.name] == MARGINS_PERCENT[measure.group] for measure in MEASURES)


@pytest.mark.parametrize("option", ["x=5", "cpu=", "0", "-3", "cpu=abc"])
def test_margins_that_cannot_be_are_refused(option: str) -> None:
    """The message names the option."""
    with pytest.raises(UsageError, match="--margin"):
        margins_of([option])


def test_the_narrower_margin_wins() -> None:
    """The margin of a measure comes before that of its group, which comes before the general one. The order of the
    options does not matter."""
    found = margins_of(["delivery_p99_ms=3", "latency=4%", "7"])
    assert (found["delivery_p99_ms"], found["delivery_p50_ms"], found["servers_cpu_us_per_delivery"]) == (3.0, 4.0, 7.0)


@pytest.mark.parametrize(("option", "margin"), [("0.1", 0.1), ("999.9", 999.9), ("12%", 12.0)])
def test_a_margin_is_above_zero_and_below_a_thousand(option: str, margin: float) -> None:
    """The percent sign is optional. 0 and 1000 themselves are refused."""
    assert set(margins_of([option]).values()) == {margin}
    for beyond in ("0", "1000", "nan"):
        with pytest.raises(UsageError, match="above 0"):
            margins_of([beyond])


def test_the_last_of_two_options_for_the_same_wins() -> None:
    """The last option for a group counts. A measure of another group keeps its own margin."""
    found = margins_of(["cpu=3", "cpu=4"])
    assert found["servers_cpu_us_per_delivery"] == 4.0
    assert found["delivery_p99_ms"] == margins_of(())["delivery_p99_ms"]


def test_an_unknown_name_is_told_with_those_that_are_known() -> None:
    """The message lists the known groups and measures."""
    with pytest.raises(UsageError, match=r"cpu, .*delivery_p99_ms.* found 'speed'"):
        margins_of(["speed=5"])
