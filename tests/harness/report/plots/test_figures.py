import math
import xml.etree.ElementTree as ET
from dataclasses import replace

import matplotlib as mpl
import pytest

from harness.model.fault import FaultTimes
from harness.model.finding import Series, Verdict
from harness.report.plots import palette
from harness.report.plots.figures import SERVER_SUBJECTS, SUBJECTS, drawings, summary
from tests.harness.report import outage_verdicts, verdicts
from tests.harness.report.drawn import drawn as drawn_of

CPU = Series(x_label="seconds", y_label="cores", x=(0.0, 1.0), lines={"broker": (0.1, 0.2)})


def only(verdict: Verdict, name: str) -> Verdict:
    """``verdict`` with only one of its series, for a test of one figure."""
    return replace(verdict, series={name: verdict.series[name]})


def test_every_series_becomes_a_figure() -> None:
    """Each known curve is drawn as SVG and PNG. The two rates differ in size, so each has its own figure."""
    drawn = drawn_of("passed")
    expected = {name for name in (*SUBJECTS, *SERVER_SUBJECTS) if name != "rate"} | {"rate_messages", "rate_deliveries"}
    assert {drawing.name for drawing in drawn.drawn} == expected
    assert drawn.missing == ()
    for drawing in drawn.drawn:
        ET.fromstring(drawing.svg)
        assert drawing.png.startswith(b"\x89PNG")
        assert drawing.title in drawing.svg


def test_drawing_leaves_no_trace() -> None:
    """matplotlib's settings stay unchanged, and the same series give the same pictures."""
    before = dict(mpl.rcParams)
    first, second = (drawings(only(verdicts.passed(), "latency"), verdicts.EVENTS).drawn[0] for _ in range(2))
    assert dict(mpl.rcParams) == before
    assert (first.svg, first.png) == (second.svg, second.png)


def test_time_plots_share_their_axis() -> None:
    """Curves of different length are drawn over the same span, so that a reader can compare them."""
    series = verdicts.series()
    short = Series(x_label="seconds", y_label="cores", x=(0.0, 1.0), lines={"broker": (0.1, 0.2)})
    verdict = replace(verdicts.passed(), series={"latency": series["latency"], "cpu": short})
    latency, cpu = drawings(verdict, verdicts.EVENTS).drawn
    ticks = [[text for text in ("−", "10", "20", "60") if f">{text}<" in d.svg] for d in (latency, cpu)]
    assert ticks[0] == ticks[1] == ["10", "20", "60"]


@pytest.mark.parametrize(
    ("series", "reason"),
    [
        (Series(x_label="", y_label="", x=(), lines={}), "no value"),
        (Series(x_label="", y_label="", x=(0.0,), lines={"a": (None,)}), "no value"),
        (Series(x_label="", y_label="", x=(0.0,), lines={"a": (math.nan,)}), "no value"),
        (Series(x_label="", y_label="", x=(0.0, 1.0), lines={"a": (1.0,)}), "differ in length"),
        (Series(x_label="", y_label="", x=(math.inf,), lines={"a": (1.0,)}), "other than numbers"),
    ],
)
@pytest.mark.parametrize("name", ["latency", "percentiles", "rate", "unheard_of"])
def test_what_cannot_be_drawn_is_named_with_the_reason(name: str, series: Series, reason: str) -> None:
    """An empty or malformed curve removes only its own figure, and the page names it."""
    verdict = replace(verdicts.passed(), series={name: series, "cpu": CPU})
    drawn = drawings(verdict, [])
    assert [drawing.name for drawing in drawn.drawn] == ["cpu"]
    assert any(reason in why for _, why in drawn.missing)


@pytest.mark.parametrize("values", [(0.0, 0.0), (5.0,), (-1.0, 2.0), (1e-9, 1e12), (None, 3.0), (math.inf, 1.0)])
def test_odd_values_are_drawn(values: tuple[float | None, ...]) -> None:
    """Zeros only, a single point, negative values and huge values all give a figure."""
    x = tuple(float(at) for at in range(len(values)))
    curve = Series(x_label="seconds", y_label="bytes", x=x, lines={"broker": values})
    verdict = replace(verdicts.passed(), series={"memory": curve, "latency": replace(curve, y_label="ms")})
    assert len(drawings(verdict, verdicts.EVENTS).drawn) == 2


def test_a_peak_far_over_the_limit_is_drawn_on_a_logarithmic_scale() -> None:
    """The rest of the curve stays readable, and the axis says that it is logarithmic."""
    calm, peaked = (drawn_of(name).drawn[0] for name in ("passed", "failed"))
    assert "logarithmic" not in calm.svg
    assert "ms, logarithmic" in peaked.svg


def test_limit_and_warm_up_are_marked() -> None:
    """The latency plot shows the plan's limit and the parts that were not timed."""
    svg = drawn_of("passed").drawn[0].svg
    for words in ("limit P99 100 ms", "warm-up", "drain"):
        assert words in svg


def test_names_of_series_never_name_paths() -> None:
    """A recording cannot choose where its figures are written."""
    curve = Series(x_label="seconds", y_label="cores", x=(0.0, 1.0), lines={"broker": (0.1, 0.2)})
    verdict = replace(verdicts.passed(), series={"../../x": curve, "a/b": curve, "": curve, "ü" * 99: curve})
    names = [drawing.name for drawing in drawings(verdict, []).drawn]
    assert names == ["series-0", "series-1", "series-2", "series-3"]


def test_letters_that_the_font_lacks_cost_themselves_only() -> None:
    """A name in another script is shown with question marks and gives no warning."""
    curve = Series(x_label="秒", y_label="秒", x=(0.0, 1.0), lines={"服务器": (1.0, 2.0), "b": (1.0, 1.0)})
    (drawing,) = drawings(replace(verdicts.passed(), series={"服": curve}), []).drawn
    assert ">???<" in drawing.svg


def test_a_dollar_is_a_dollar() -> None:
    """Names are drawn letter by letter. No name is read as a formula, and none can stop the report."""
    curve = Series(x_label="$x", y_label="$y$", x=(0.0, 1.0), lines={"$\\frac{$": (1.0, 2.0), "_hidden": (1.0, 1.0)})
    (drawing,) = drawings(replace(verdicts.passed(), series={"cpu": curve}), []).drawn
    for words in ("$x", "$y$", "$\\frac{$", "_hidden"):
        assert f">{words}<" in drawing.svg


def test_sixteen_servers_share_a_legend_entry() -> None:
    """The members of a family have one colour and one legend entry. The description gives one range for them."""
    lines = {f"server-{n}": (float(n), 2.0) for n in range(1, 17)} | {"broker": (1.0, 1.0)}
    curve = Series(x_label="seconds", y_label="cores", x=(0.0, 1.0), lines=lines)
    assert summary(curve) == "server × 16: 1 to 16, broker: 1 to 1 (cores)"


def test_bytes_are_drawn_in_a_unit_that_suits() -> None:
    """Nine digits on an axis are hard to read."""
    curve = Series(x_label="seconds", y_label="bytes/s", x=(0.0, 1.0), lines={"out": (2.0 * 1024**2, 1024.0**2)})
    assert summary(curve) == "out: 1 to 2 (MiB/s)"


def test_an_outage_is_marked_in_every_time_plot() -> None:
    """Begin and end have a line and a word, and the time between is shaded. The percentile plot has no time axis and so
    no marks."""
    drawn = drawn_of("outage").drawn
    assert {"live_latency", "recovered_latency", "acknowledgement", "cpu", "lag"} <= {one.name for one in drawn}
    for drawing in drawn:
        timed = drawing.name != "percentiles"
        for words in (">stop broker<", ">broker back<", palette.OUTAGE.light):
            assert (words in drawing.svg) == timed, (drawing.name, words)


def test_a_request_by_hand_is_marked_although_the_curves_have_ended() -> None:
    """The axis extends to the moment of the request."""
    (drawing,) = drawings(only(outage_verdicts.outage(), "live_latency"), outage_verdicts.BY_HAND).drawn
    assert ">rebroadcast<" in drawing.svg


def test_an_outage_is_shaded_from_the_measurements_where_events_are_lost() -> None:
    """The verdict alone is enough for the marks."""
    (drawing,) = drawings(only(outage_verdicts.outage(), "latency"), []).drawn
    assert ">stop broker<" in drawing.svg
    assert palette.OUTAGE.light in drawing.svg


def test_the_figures_of_an_outage_belong_to_its_section() -> None:
    """The live, recovered and acknowledgement figures are in the outage section. Without an outage they are with the
    other latencies."""
    names = ["live_latency", "recovered_latency", "acknowledgement"]
    outage = drawn_of("outage")
    assert [drawing.name for drawing in outage.group("outage")] == names
    series = {name: outage_verdicts.series()[name] for name in names}
    without = drawings(replace(verdicts.passed(), series=series), verdicts.EVENTS)
    assert without.group("outage") == ()
    assert set(names) <= {drawing.name for drawing in without.group("latency")}


def test_the_limit_of_live_deliveries_is_in_their_figure_only() -> None:
    """A figure without a limit in the plan shows no limit."""
    drawn = drawn_of("outage").drawn
    assert [drawing.name for drawing in drawn if "limit P99 100 ms" in drawing.svg] == ["live_latency"]


def test_missing_curves_of_an_outage_are_named_only_where_there_was_one() -> None:
    """A run without a fault does not list figures that it cannot have."""
    titles = {title for title, _ in drawings(replace(outage_verdicts.outage(), series={}), []).missing}
    assert "Live delivery latency over time" in titles
    assert "Live delivery latency over time" not in {title for title, _ in drawings(verdicts.empty(), []).missing}


def test_a_second_that_stands_alone_is_a_dot() -> None:
    """Recovered deliveries of one second between two empty seconds are visible."""
    curve = Series(x_label="seconds", y_label="ms", x=(0.0, 1.0, 2.0, 3.0), lines={"P99": (None, 5.0, None, None)})
    (dot,) = drawings(replace(verdicts.passed(), series={"latency": curve}), []).drawn
    (line,) = drawings(
        replace(verdicts.passed(), series={"latency": replace(curve, lines={"P99": (None, 5.0, 5.0, None)})}), []
    ).drawn
    assert dot.svg.count("<use") == line.svg.count("<use") + 1


def test_long_latencies_are_drawn_in_seconds_with_their_limit() -> None:
    """Latencies of ten seconds or more are in seconds. The limit is scaled with them."""
    curve = Series(x_label="seconds", y_label="ms", x=(0.0, 1.0), lines={"P99": (20_000.0, 60_000.0)})
    assert summary(curve) == "P99: 20 to 60 (s)"
    (drawing,) = drawings(replace(verdicts.passed(), series={"latency": curve}), []).drawn
    assert "s, logarithmic" in drawing.svg
    assert "limit P99 100 ms" in drawing.svg


@pytest.mark.parametrize("at_ns", [-(2**62), 0, 2**62])
def test_a_fault_at_an_impossible_time_does_not_press_the_curves(at_ns: int) -> None:
    """The curves keep their axis for any times in the verdict."""
    fault = replace(outage_verdicts.BROKER, times=FaultTimes(begun_ns=at_ns, back_ns=at_ns))
    verdict = outage_verdicts.recovering(only(outage_verdicts.outage(), "latency"), faults=(fault,))
    (drawing,) = drawings(verdict, []).drawn
    assert all(tick in drawing.svg for tick in [">0<", ">8<"])


def test_servers_have_figures_of_their_own_only_where_there_are_several() -> None:
    """A run with one server does not list these figures as missing."""
    verdict = only(verdicts.passed(), "server_cpu")
    alone = replace(verdict, series={}, plan=replace(verdict.plan, servers=1))
    assert not [title for title, _ in drawings(alone, verdicts.EVENTS).missing if "each server" in title]
    found = drawings(verdict, verdicts.EVENTS)
    assert [drawing.group for drawing in found.drawn] == ["servers"]
    assert [title for title, _ in found.missing if "each server" in title] == [
        "P99 delivery latency of each server",
        "Memory of each server",
    ]


def test_what_a_reader_can_zoom_says_where_its_axis_is() -> None:
    """A time plot has attributes for the seconds and the position of its axes, and each curve of a server has its name.
    The percentile plot has none."""
    timed = drawings(only(verdicts.passed(), "server_cpu"), verdicts.EVENTS).drawn[0]
    assert 'data-span="-5 61" data-frame="50.00 468.00 58.00 234.00"' in timed.inline
    for number in range(1, 5):
        assert timed.inline.count(f'data-server="server-{number}"') == 1
    assert timed.inline.count('data-at="60"') == 2  # the line of the drain, and its word
    assert 'id="moves' not in timed.svg
    assert "data-span" not in drawings(only(verdicts.passed(), "percentiles"), ()).drawn[0].inline
