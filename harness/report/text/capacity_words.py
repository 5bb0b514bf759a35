"""A capacity search in words: the result in a sentence, its key figures, one row for each step."""

from harness.model.capacity import Capacity, CapacityStep, Found, TrialResult, Vary
from harness.model.finding import Status
from harness.report.text.headline import Headline
from harness.report.text.quantities import UNKNOWN, count, figure, in_unit, milliseconds
from harness.report.text.table import Cell, Table, figures, text
from harness.report.text.tile import Tile

UNITS = {Vary.RATE: "messages/s", Vary.CLIENTS: "clients", Vary.AUDIENCE: "clients per channel"}
RESULT_WORDS = {
    TrialResult.HELD: "held",
    TrialResult.BROKE: "broke",
    TrialResult.GENERATOR: "load generator fell behind",
    TrialResult.UNDECIDED: "not decided",
}
_RESULT_STATUS = {
    TrialResult.HELD: Status.PASS,
    TrialResult.BROKE: Status.FAIL,
    TrialResult.GENERATOR: Status.UNKNOWN,
    TrialResult.UNDECIDED: Status.UNKNOWN,
}
_FOUND_STATUS = {
    Found.CAPACITY: Status.PASS,
    Found.LOWER_BOUND: Status.UNKNOWN,
    Found.NONE: Status.FAIL,
    Found.UNDECIDED: Status.UNKNOWN,
}


def load_words(capacity: Capacity, value: int) -> str:
    """A value of the varied number with its unit."""
    return in_unit(value, UNITS[capacity.plan.vary])


def sentence(capacity: Capacity) -> str:
    """The result, and the exhausted resource."""
    limit = f"every delivery and a P99 within {milliseconds(capacity.plan.limit_ms)}"
    early = f" The search ended early: {capacity.ended}." if capacity.ended else ""
    return f"{_found(capacity, limit)}{_gave_out(capacity)}{early}"


def _found(capacity: Capacity, limit: str) -> str:
    if capacity.value is None:
        if capacity.found is Found.NONE:
            return f"The smallest load, {load_words(capacity, capacity.plan.floor)}, did not have {limit}."
        held = [step.value for step in capacity.steps if step.result is TrialResult.HELD]
        once = f"; {load_words(capacity, max(held))} had it once" if held else ""
        return f"No load was shown twice to have {limit}{once}."
    value = load_words(capacity, capacity.value)
    if capacity.found is Found.CAPACITY and capacity.broke_at is not None:
        return f"{value} had {limit}, in two runs; {load_words(capacity, capacity.broke_at)} did not."
    above = min((step.value for step in capacity.steps if step.value > capacity.value), default=None)
    if above is None:
        beyond = "no larger load was tried"
    else:
        last = next(step for step in reversed(capacity.steps) if step.value == above)
        fell_behind = last.result is TrialResult.GENERATOR
        why = ", because the load generator fell behind" if fell_behind else f" ({last.because})"
        broken = f", and {load_words(capacity, capacity.broke_at)} did not" if capacity.broke_at is not None else ""
        beyond = f"{load_words(capacity, above)} was not decided{why}{broken}"
    return f"At least {value}: it had {limit}, in two runs; {beyond}. This is a lower bound, not a capacity."


def _gave_out(capacity: Capacity) -> str:
    found = capacity.exhaustion
    return f" Exhausted resource: {found.resource}, because {found.because}." if found else ""


def capacity_headline(capacity: Capacity) -> Headline:
    """The top of the page."""
    held = next((one for one in capacity.steps if one.value == capacity.value and one.result is TrialResult.HELD), None)
    word = {
        Found.CAPACITY: "Capacity",
        Found.LOWER_BOUND: "Lower bound",
        Found.NONE: "No load held",
        Found.UNDECIDED: "Undecided",
    }[capacity.found]
    return Headline(
        status=_FOUND_STATUS[capacity.found],
        word=word,
        sentence=sentence(capacity),
        tiles=(
            Tile(
                name=word,
                figure=UNKNOWN if capacity.value is None else count(capacity.value),
                unit=UNITS[capacity.plan.vary],
                notes=(f"{in_unit(_rounded(held.deliveries_hz), 'deliveries/s')}",) if held else (),
            ),
            Tile(
                name="P99 at it",
                figure=milliseconds(held.p99_ms) if held else UNKNOWN,
                notes=(f"limit {milliseconds(capacity.plan.limit_ms)}",),
            ),
            Tile(
                name="Broke at",
                figure=UNKNOWN if capacity.broke_at is None else count(capacity.broke_at),
                unit="" if capacity.broke_at is None else UNITS[capacity.plan.vary],
            ),
            Tile(
                name="Exhausted resource",
                figure=str(capacity.exhaustion.resource) if capacity.exhaustion else UNKNOWN,
            ),
            Tile(name="Steps", figure=count(len(capacity.steps))),
        ),
    )


def step_table(capacity: Capacity) -> Table | None:
    """Every step in order. None without one."""
    unit = UNITS[capacity.plan.vary]
    columns = (
        f"{unit[:1].upper()}{unit[1:]}",
        "Result",
        "P50",
        "P99",
        "Deliveries/s",
        "Missing",
        "Cores busy",
        "Gave out",
    )
    rows = tuple(_row(step) for step in capacity.steps)
    return (
        Table(caption="Every step, in order; below a P99 its 95 % interval", columns=columns, rows=rows)
        if rows
        else None
    )


def _row(step: CapacityStep) -> tuple[Cell, ...]:
    low, high = step.p99_low_ms, step.p99_high_ms
    between = () if low is None or high is None else (f"{figure(low)}–{milliseconds(high)}",)
    found = step.exhaustion
    return (
        Cell(text=count(step.value), link=f"{step.run}/", numeric=False),
        Cell(text=RESULT_WORDS[step.result], status=_RESULT_STATUS[step.result].value, lines=(step.because,)),
        figures(milliseconds(step.p50_ms)),
        Cell(text=milliseconds(step.p99_ms), lines=between, numeric=True),
        figures(count(step.deliveries_hz)),
        figures(count(step.missing), status="fail" if step.missing and step.result is TrialResult.BROKE else ""),
        figures(figure(step.cores.machine)),
        Cell(text=str(found.resource), lines=(found.because,)) if found else text(""),
    )


def _rounded(rate_hz: float | None) -> int | None:
    return None if rate_hz is None else round(rate_hz)
