import math

import pytest

from harness.model.finding import Series
from harness.report.plots.curves import time_unit, unit
from harness.report.plots.plotting import Limit, Scene, plot
from harness.report.plots.time_axis import Mark


def curve(*values: float | None, y_label: str = "delivery latency (ms)") -> Series:
    return Series(
        x_label="seconds measured",
        y_label=y_label,
        x=tuple(float(second) for second in range(len(values))),
        lines={"P99": values},
    )


@pytest.mark.parametrize(
    ("label", "found"),
    [
        ("ms", "ms"),
        ("s", "s"),
        ("delivery latency (ms)", "ms"),
        ("latency (s)", "s"),
        ("messages", ""),
        ("cores", ""),
        ("bytes", ""),
        ("messages/s", ""),
    ],
)
def test_a_label_says_whether_the_axis_is_a_duration(label: str, found: str) -> None:
    assert time_unit(label) == found


def test_long_durations_are_told_in_seconds() -> None:
    """The other words of the label stay."""
    assert unit(curve(20_000.0)) == (1000.0, "delivery latency (s)")
    assert unit(curve(20_000.0, y_label="ms")) == (1000.0, "s")
    assert unit(curve(9.0)) == (1.0, "delivery latency (ms)")


@pytest.mark.parametrize("label", ["ms", "delivery latency (ms)"])
def test_a_peak_switches_to_a_logarithmic_scale(label: str) -> None:
    """A curve of 10 ms stays readable beside one second of 2,000 ms. The axis says that it is logarithmic."""
    calm = plot("latency", "Latency", curve(10.0, 11.0, 12.0, y_label=label), Scene(), ())
    peaked = plot("latency", "Latency", curve(10.0, 11.0, 2_000.0, y_label=label), Scene(), ())
    assert calm.axes[0].get_yscale() == "linear"
    assert peaked.axes[0].get_yscale() == "log"
    assert any("logarithmic" in text.get_text() for text in peaked.texts)


def test_other_units_stay_linear() -> None:
    """An axis of cores from 0.01 to 2 is linear."""
    figure = plot("cpu", "CPU", curve(0.01, 0.01, 2.0, y_label="cores"), Scene(), ())
    assert figure.axes[0].get_yscale() == "linear"


def test_a_gap_stays_a_gap() -> None:
    """No line crosses a second without a value."""
    figure = plot("latency", "Latency", curve(10.0, None, 12.0), Scene(), ())
    values = figure.axes[0].lines[0].get_ydata()
    assert math.isnan(values[1])


def test_the_limit_is_inside_the_axis() -> None:
    """This holds even if every value is far below the limit."""
    figure = plot("latency", "Latency", curve(1.0, 2.0), Scene(), (Limit(at=100.0, words="limit"),))
    assert figure.axes[0].get_ylim()[1] > 100.0


def test_only_marks_on_the_axis_are_shown() -> None:
    """A moment before or after the span is not shown."""
    marks = tuple(Mark(at_s=at_s, words=f"at {at_s:g}") for at_s in (-5.0, 3.0, 50.0))
    scene = Scene(span=(0.0, 10.0), marks=marks)
    assert [mark.at_s for mark in scene.shown] == [3.0]
    assert len(scene.labels()) == 1
    assert Scene(marks=marks).shown == ()
