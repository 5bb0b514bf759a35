"""The order in which the changes of a trend are read."""

from harness.model.trend import ChangePoint, Line, TrendSeries


def a_point(first: int, *, worse: bool, p_value: float = 0.01) -> ChangePoint:
    return ChangePoint(
        measure="m",
        first=first,
        run=f"r{first}",
        revision="",
        began="",
        before=1.0,
        after=2.0,
        percent=100.0,
        p_value=p_value,
        worse=worse,
        total_percent=100.0,
        margin_percent=5.0,
    )


def test_changes_of_all_measures_come_worst_first_and_newest_first() -> None:
    """Old changes for the worse come before new changes for the better."""
    lines = (
        Line(measure="a", values=(), change_points=(a_point(9, worse=False), a_point(2, worse=True))),
        Line(measure="b", values=(), change_points=(a_point(5, worse=True), a_point(1, worse=False))),
        Line(measure="c", values=()),
    )
    series = TrendSeries(plan_key="", title="", plan={}, entries=(), lines=lines)
    assert [(point.first, point.worse) for point in series.change_points] == [
        (5, True),
        (2, True),
        (9, False),
        (1, False),
    ]


def test_confidence_is_what_chance_does_not_explain() -> None:
    """A p-value of 0.25 is 75 %."""
    assert a_point(1, worse=True, p_value=0.25).confidence_percent == 75.0
