"""The way of a message in five steps: what is claimed, what was measured, and whether the one bears the other out."""

from dataclasses import dataclass

from harness.model.finding import Verdict
from harness.report.text.lookup import part, rows, value
from harness.report.text.quantities import UNKNOWN, count, milliseconds, told
from harness.report.text.table import Cell, Table, figures, text

_OUTCOMES = {"supported": "pass", "contradicted": "fail", "not reached": "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """``key`` names it in the measurements."""

    key: str
    name: str
    what: str


STEPS = (
    Step(key="ingest", name="Ingest", what="A server takes the post."),
    Step(key="commit", name="Commit", what="PostgreSQL commits it."),
    Step(key="publish", name="Publish", what="It is handed to the backplane."),
    Step(key="fan_out", name="Fan-out", what="The backplane brings it to every server."),
    Step(key="push", name="Push", what="Each subscribed client receives it."),
)
TOTAL = Step(key="total", name="Total", what="From the intended time to the client.")


@dataclass(frozen=True, slots=True, kw_only=True)
class StepFigures:
    """A step in the sketch, with its measured figures."""

    name: str
    what: str
    p50: str
    p99: str


def step_figures(verdict: Verdict) -> tuple[StepFigures, ...]:
    """The five steps in order; their figures read as unknown where no trace was collected."""
    return tuple(
        StepFigures(
            name=step.name,
            what=step.what,
            p50=milliseconds(value(verdict.measurements, "steps_ms", step.key, "p50")),
            p99=milliseconds(value(verdict.measurements, "steps_ms", step.key, "p99")),
        )
        for step in STEPS
    )


def step_table(verdict: Verdict) -> Table | None:
    """Each step's percentiles, the total last. None where no step was measured."""
    lines = []
    for place, step in enumerate((*STEPS, TOTAL), 1):
        if found := part(verdict.measurements, "steps_ms", step.key):
            name = f"{place}. {step.name}" if step is not TOTAL else step.name
            times = (figures(milliseconds(value(found, statistic))) for statistic in ("p50", "p95", "p99", "max"))
            lines.append((text(name), *times, figures(count(value(found, "count")))))
    columns = ("Step", "P50", "P95", "P99", "Max", "Samples")
    return Table(caption="Time spent in each step", columns=columns, rows=tuple(lines)) if lines else None


def claim_table(verdict: Verdict) -> Table | None:
    """What the architecture claims beside what was measured."""
    lines = tuple(
        (
            Cell(text=str(row.get("claim", UNKNOWN)), lines=(told(row["source"]),) if row.get("source") else ()),
            text(told(row.get("expected"))),
            text(told(row.get("measured"))),
            outcome(row.get("status")),
        )
        for row in rows(verdict.measurements, "claims")
    )
    columns = ("Claim", "Claimed", "Measured", "This run")
    return Table(caption="Claims of the architecture", columns=columns, rows=lines, prose=True) if lines else None


def outcome(status: object) -> Cell:
    """``supported``, ``contradicted`` or ``not reached``, with the colour of its meaning."""
    words = str(status) if status is not None else UNKNOWN
    return Cell(text=words, status=_OUTCOMES.get(words, "unknown"))
