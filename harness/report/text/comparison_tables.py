"""A comparison in a sentence, in tables and in lines for a terminal."""

from collections.abc import Iterator, Sequence

from harness.model.comparison import Change, Comparison, Difference, MeasureComparison, Method
from harness.model.status import Status
from harness.report.text.measure_words import measure_title, measure_value, signed_percent
from harness.report.text.quantities import SPACE, UNKNOWN, listed
from harness.report.text.table import Cell, Table, figures, text

WORDS = {Change.WORSE: "worse", Change.BETTER: "better", Change.SAME: "same", Change.UNDECIDED: "undecided"}
STATUSES = {Change.WORSE: "fail", Change.BETTER: "pass", Change.SAME: "pass", Change.UNDECIDED: "unknown"}
_ORDER = {Change.WORSE: 0, Change.UNDECIDED: 1, Change.BETTER: 2, Change.SAME: 3}


def verdict_word(comparison: Comparison) -> str:
    if comparison.across:
        return "NO VERDICT"
    if comparison.status is Status.FAIL:
        return "WORSE"
    if comparison.differences:
        return "NOT COMPARABLE"
    if comparison.status is Status.UNKNOWN:
        return "UNDECIDED"
    better = any(measure.change is Change.BETTER for measure in comparison.measures)
    return "BETTER" if better else "SAME"


def comparison_sentence(comparison: Comparison) -> str:
    """The verdict in a sentence, by the deciding part."""
    counted = counts(comparison.measures)
    if comparison.safety:
        checks = listed(dict.fromkeys(regression.check for regression in comparison.safety))
        return f"Safety: {checks} passed in BASE and did not pass in RUN"
    if comparison.differences:
        names = listed(difference.what for difference in comparison.differences)
        asked = " Reported across these differences, without a verdict" if comparison.across else ""
        return f"BASE and RUN differ in {names}.{asked}" if asked else f"BASE and RUN differ in {names}"
    if comparison.across:
        return f"Reported without a verdict: {counted}"
    if not comparison.measures:
        return "No measure can be compared" + (f": {comparison.gaps[0]}" if comparison.gaps else "")
    worse = [measure for measure in comparison.measures if measure.change is Change.WORSE]
    if worse:
        first = worse[0]
        return f"{_titled(first)} is worse by {signed_percent(first.percent)} ({ends(first)}); {counted}"
    return f"{counted}{'; ' + comparison.gaps[0] if comparison.gaps else ''}"


def counts(measures: Sequence[MeasureComparison]) -> str:
    """``2 worse, 9 same, 1 undecided``"""
    found = [measure.change for measure in measures]
    return (
        ", ".join(f"{found.count(change)} {WORDS[change]}" for change in _ORDER if change in found)
        or "nothing measured"
    )


def ends(measure: MeasureComparison) -> str:
    """The interval: ``−1.2 % to +3.4 %``; an end that is not bounded is named."""
    if measure.percent is None:
        return UNKNOWN
    low = "no lower end" if measure.low_percent is None else signed_percent(measure.low_percent)
    high = "no upper end" if measure.high_percent is None else signed_percent(measure.high_percent)
    return f"{low} to {high}"


def comparison_lines(comparison: Comparison) -> Iterator[str]:
    """For a terminal or a log: the verdict, differences, safety, every measure, what was left out."""
    for line in _lines(comparison):
        yield line.replace(SPACE, " ")


def _lines(comparison: Comparison) -> Iterator[str]:
    sides = f"{comparison.run_name} against {comparison.base_name}"
    yield f"{verdict_word(comparison)}  {sides}: {comparison_sentence(comparison)}"
    for difference in comparison.differences:
        yield f"  differs     {difference.what}: BASE {difference.base}, RUN {difference.run}"
    if comparison.differences and not comparison.across:
        yield "  `--across` shows the measures anyway, without a verdict"
    for regression in comparison.safety:
        where = f"{regression.point}: " if regression.point else ""
        yield f"  SAFETY      {where}{regression.check} passed in BASE, {regression.status.upper()} in {regression.run}"
    for measure in ordered(comparison.measures):
        yield (
            f"  {WORDS[measure.change].upper() if measure.change is Change.WORSE else WORDS[measure.change]:<10}  "
            f"{_titled(measure):<46} {measure_value(measure.measure, measure.base):>11} → "
            f"{measure_value(measure.measure, measure.run):<11} {signed_percent(measure.percent):>9}  "
            f"[{ends(measure)}]  margin ±{measure.margin_percent:g} %"
        )
        if measure.because:
            yield f"              {measure.because}"
    for gap in comparison.gaps:
        yield f"  gap         {gap}"
    for left in comparison.left_out:
        used = "still used" if left.used or comparison.across else "not used"
        yield f"  doubtful    {left.side} {left.run}: {left.because}; {used}"
    for difference in comparison.noted:
        yield f"  noted       {difference.what}: BASE {difference.base}, RUN {difference.run}"


def ordered(measures: Sequence[MeasureComparison]) -> list[MeasureComparison]:
    """The deciding measures first; otherwise as in the registry."""
    return sorted(measures, key=lambda measure: _ORDER[measure.change])


def measure_table(comparison: Comparison) -> Table | None:
    rows = tuple(
        (
            Cell(text=_titled(measure), lines=(measure.because,)),
            Cell(text=WORDS[measure.change], status=STATUSES[measure.change]),
            figures(measure_value(measure.measure, measure.base)),
            figures(measure_value(measure.measure, measure.run)),
            figures(signed_percent(measure.percent)),
            Cell(text=ends(measure), lines=(f"margin ±{measure.margin_percent:g}{SPACE}%",), numeric=True),
            Cell(text=f"{measure.base_runs} against {measure.runs}", lines=_how(measure)),
        )
        for measure in ordered(comparison.measures)
    )
    columns = ("Measure", "Result", "BASE", "RUN", "Change", "95 % interval", "Runs")
    return Table(caption="Measures", columns=columns, rows=rows, prose=True) if rows else None


def _how(measure: MeasureComparison) -> tuple[str, ...]:
    if measure.method is Method.NONE:
        return ()
    if measure.spread_percent is None:
        return (str(measure.method),)
    source = f"of {measure.spread_runs} runs" if measure.spread_runs else "assumed"
    return (str(measure.method), f"spread between runs {measure.spread_percent:.1f}{SPACE}%, {source}")


def difference_table(caption: str, differences: Sequence[Difference]) -> Table | None:
    rows = tuple((text(each.what), text(each.base), text(each.run)) for each in differences)
    return Table(caption=caption, columns=("What", "BASE", "RUN"), rows=rows, prose=True) if rows else None


def safety_table(comparison: Comparison) -> Table | None:
    rows = tuple(
        (
            text(f"{each.point}: {each.check}" if each.point else each.check),
            Cell(text=str(each.status).upper(), status=str(each.status)),
            text(each.run),
        )
        for each in comparison.safety
    )
    columns = ("Safety check that passed in BASE", "In RUN", "Run")
    return Table(caption="Safety", columns=columns, rows=rows, prose=True) if rows else None


def left_out_table(comparison: Comparison) -> Table | None:
    rows = tuple(
        (
            text(f"{each.side}: {each.run}"),
            text(each.because),
            text("yes" if each.used or comparison.across else "no"),
        )
        for each in comparison.left_out
    )
    columns = ("Run", "Doubtful because of", "Used")
    return Table(caption="Doubtful runs", columns=columns, rows=rows, prose=True) if rows else None


def group_table(comparison: Comparison, links: Sequence[str]) -> Table:
    """Every run; ``links`` in the order BASE, RUN."""
    sides = [("BASE", entry) for entry in comparison.base] + [("RUN", entry) for entry in comparison.run]
    rows = tuple(
        (
            Cell(
                text=entry.run,
                link=link,
                lines=(entry.point, f"revision {entry.revision[:12]}" if entry.revision else ""),
            ),
            text(side),
            Cell(text=str(entry.verdict).upper(), status=str(entry.verdict)),
            text(entry.began[:19].replace("T", " ")),
        )
        for (side, entry), link in zip(sides, links, strict=True)
    )
    return Table(caption="Runs", columns=("Run", "Side", "Verdict", "Began (UTC)"), rows=rows)


def _titled(measure: MeasureComparison) -> str:
    return measure_title(f"{measure.point}: {measure.measure}" if measure.point else measure.measure)
