"""Comparison → Summary, for the outputs."""

from harness.model.comparison import Change, Comparison, MeasureComparison
from harness.model.history import Measured
from harness.model.measure import MEASURES
from harness.model.summary import Case, CaseResult, Summary

_RESULTS = {
    Change.WORSE: CaseResult.FAIL,
    Change.UNDECIDED: CaseResult.UNKNOWN,
    Change.SAME: CaseResult.PASS,
    Change.BETTER: CaseResult.PASS,
}


def comparison_summary(comparison: Comparison, *, sentence: str, report: str = "") -> Summary:
    """A case for each difference, safety regression and measure; the measures are those of RUN."""
    cases = [
        Case(
            name=difference.what,
            group="comparable",
            result=CaseResult.UNKNOWN,
            summary="BASE and RUN are not comparable",
            measured=difference.run,
            expected=difference.base,
        )
        for difference in comparison.differences
    ]
    cases += [
        Case(
            name=_placed(regression.point, regression.check),
            group="safety",
            result=CaseResult.FAIL,
            summary=f"passed in BASE, {regression.status.upper()} in {regression.run}",
        )
        for regression in comparison.safety
    ]
    cases += [
        Case(name="runs-left-out", group="comparable", result=CaseResult.UNKNOWN, summary=gap)
        for gap in comparison.gaps
    ]
    cases += [_case(measure, across=comparison.across) for measure in comparison.measures]
    first = comparison.run[0] if comparison.run else None
    return Summary(
        name="compare",
        title=f"{comparison.run_name} against {comparison.base_name}",
        status=comparison.status,
        sentence=sentence,
        began=first.began if first else "",
        cases=tuple(cases),
        measures={
            _placed(measure.point, measure.measure): Measured(value=measure.run)
            for measure in comparison.measures
            if measure.run is not None
        },
        labels={"scenario": first.scenario, "servers": first.plan.get("servers", "")} if first else {},
        properties={
            "base": ", ".join(entry.run for entry in comparison.base),
            "run": ", ".join(entry.run for entry in comparison.run),
            **({"plan_key": first.plan_key, "machine_key": first.machine_key} if first else {}),
            **{f"margin.{name}": f"{value:g} %" for name, value in comparison.margins_percent.items()},
            **({f"machine.{name}": value for name, value in first.machine.items()} if first else {}),
        },
        report=report,
    )


def _case(measure: MeasureComparison, *, across: bool) -> Case:
    known = MEASURES.get(measure.measure)
    ends = f"95 % from {_signed(measure.low_percent)} to {_signed(measure.high_percent)}"
    words = f"{known.title}: {measure.change}" + (f", {measure.because}" if measure.because else "")
    return Case(
        name=_placed(measure.point, measure.measure),
        group="performance",
        result=CaseResult.NOTED if across else _RESULTS[measure.change],
        summary=words,
        measured="" if measure.percent is None else f"{_signed(measure.percent)} ({ends})",
        expected=f"within ±{measure.margin_percent:g} %",
        details=(f"BASE {measure.base} → RUN {measure.run} {known.unit}".rstrip(), f"method: {measure.method}"),
    )


def _placed(point: str, name: str) -> str:
    return f"{point}: {name}" if point else name


def _signed(percent: float | None) -> str:
    return "unbounded" if percent is None else f"{percent:+.1f} %"
