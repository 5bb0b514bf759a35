"""A message in five steps: the claims, the measurements, and whether a measurement supports its claim."""

from collections.abc import Iterable
from dataclasses import dataclass

from harness.model.measurements.claims import Claim, Decision, Outcome
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.steps import StepLatencies
from harness.report.text.component_titles import database_title
from harness.report.text.quantities import count, formatted, label, milliseconds
from harness.report.text.table import Cell, Table, figures, text

_STATUS = {Outcome.SUPPORTED: "pass", Outcome.CONTRADICTED: "fail", Outcome.NOT_REACHED: "unknown"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One step with its figures; ``percentiles`` is None if it was not measured."""

    name: str
    what: str
    percentiles: Percentiles | None

    @property
    def p50(self) -> str:
        return milliseconds(self.percentiles.p50_ms if self.percentiles else None)

    @property
    def p99(self) -> str:
        return milliseconds(self.percentiles.p99_ms if self.percentiles else None)


def steps(measured: StepLatencies | None) -> tuple[Step, ...]:
    """The five steps in order. Without traces their figures read as unknown."""
    found = measured or StepLatencies()
    if found.persist is not None:
        return (
            Step(name="Ingest", what="A server takes the post.", percentiles=found.ingest),
            Step(name="Publish", what="The broker numbers and publishes it.", percentiles=found.publish),
            Step(name="Fan-out", what="The backplane brings it to every server.", percentiles=found.fan_out),
            Step(name="Push", what="Each subscribed client receives it.", percentiles=found.push),
            Step(name="Persist", what=f"{database_title()} commits it, later.", percentiles=found.persist),
        )
    return (
        Step(name="Ingest", what="A server takes the post.", percentiles=found.ingest),
        Step(name="Commit", what=f"{database_title()} commits it.", percentiles=found.commit),
        Step(name="Publish", what="The server hands it to the backplane.", percentiles=found.publish),
        Step(name="Fan-out", what="The backplane brings it to every server.", percentiles=found.fan_out),
        Step(name="Push", what="Each subscribed client receives it.", percentiles=found.push),
    )


def step_table(measured: StepLatencies | None) -> Table | None:
    """The percentiles of each step, the total last. None if no step was measured."""
    if measured is None:
        return None
    named = [(f"{place}. {step.name}", step.percentiles) for place, step in enumerate(steps(measured), 1)]
    lines = tuple(
        (
            text(name),
            *(figures(milliseconds(at_ms)) for at_ms in (found.p50_ms, found.p95_ms, found.p99_ms, found.max_ms)),
            figures(count(found.count)),
        )
        for name, found in (*named, ("Total", measured.total))
        if found is not None
    )
    columns = ("Step", "P50", "P95", "P99", "Max", "Samples")
    return Table(caption="Time spent in each step", columns=columns, rows=lines) if lines else None


def clock_note(measured: StepLatencies | None) -> str:
    """The effect of the clocks of different hosts on the steps; empty if all processes share one clock."""
    if measured is None:
        return ""
    notes = []
    if measured.left_out:
        names = ", ".join(label(name) for name in measured.left_out)
        notes.append(
            f"Not measured: {names}. Each of these steps begins and ends on hosts whose clocks cannot be compared, so "
            "times of the one were not compared with times of the other."
        )
    if measured.negative:
        names = ", ".join(label(name) for name in measured.negative)
        notes.append(
            f"Not measured: {names}. By the servers' traces these steps took less than no time, so a clock is wrong."
        )
    if measured.clock_bound_ms:
        bound = milliseconds(measured.clock_bound_ms)
        notes.append(f"Clocks of different hosts can put an error of up to {bound} into each sample.")
    return " ".join(notes)


def claim_table(claims: Iterable[Claim]) -> Table | None:
    """The architecture's claims beside the measured figures."""
    lines = tuple(
        (
            Cell(text=claim.claim, lines=(claim.source,) if claim.source else ()),
            text(formatted(claim.expected)),
            text(formatted(claim.measured)),
            outcome(claim.status),
        )
        for claim in claims
    )
    columns = ("Claim", "Claimed", "Measured", "This run")
    return Table(caption="Claims of the architecture", columns=columns, rows=lines, prose=True) if lines else None


def decision_table(decisions: Iterable[Decision]) -> Table | None:
    """Each decision record and this run's evidence."""
    lines = tuple(
        (
            Cell(text=decision.adr, lines=(decision.title,)),
            outcome(decision.status),
            text(decision.evidence),
        )
        for decision in decisions
    )
    columns = ("Decision", "This run", "Evidence")
    caption = "Architecture decisions and this run's evidence"
    return Table(caption=caption, columns=columns, rows=lines, prose=True) if lines else None


def outcome(status: Outcome) -> Cell:
    """``supported``, ``contradicted`` or ``not reached``, with the colour of its meaning."""
    return Cell(text=status.value, status=_STATUS[status])
