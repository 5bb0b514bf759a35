from harness.model.finding import Series
from harness.report.plots.curves import families_of, printable, scaled, unit


def curve(y_label: str, **lines: tuple[float | None, ...]) -> Series:
    return Series(x_label="seconds", y_label=y_label, x=(0.0, 1.0), lines=lines)


def test_a_series_is_drawn_in_the_unit_of_its_largest_value() -> None:
    """Bytes are in binary units, and times of ten seconds or more are in seconds. Gaps stay gaps."""
    assert unit(curve("bytes", a=(3.0 * 1024**3, None))) == (1024.0**3, "GiB")
    assert unit(curve("ms", a=(9_999.0,))) == (1.0, "ms")
    assert scaled(curve("ms", a=(20_000.0, None))).lines == {"a": (20.0, None)}
    assert scaled(curve("cores", a=(20_000.0, None))).lines == {"a": (20_000.0, None)}


def test_numbered_members_share_a_legend_entry_and_percentiles_do_not() -> None:
    """``server-1`` and ``server-2`` are members of one family. ``P50`` and ``P95`` are two different curves."""
    names = {"server-1": (1.0, 1.0), "server-2": (1.0, 1.0), "P50": (1.0, 1.0), "P95": (1.0, 1.0), "broker": (1.0, 1.0)}
    assert families_of(curve("", **names)) == {
        "server × 2": ["server-1", "server-2"],
        "P50": ["P50"],
        "P95": ["P95"],
        "broker": ["broker"],
    }


def test_a_name_is_cut_and_keeps_only_what_the_font_holds() -> None:
    """Characters outside the font become question marks. A long name ends in an ellipsis."""
    assert printable("a\n服") == "a??"
    assert printable("x" * 40, 5) == "xxxx…"
