"""The row of figures of one cell of a matrix, from its verdict and its recording."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from harness.checks.run import resources
from harness.checks.sweep.member import Ran, row
from harness.model.finding import Finding, Kind, Status, Verdict, worst
from harness.model.matrix_plan import Cell
from harness.model.measurements.matrix_measurements import CellFigures
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.sweep_plan import Curve, Member
from harness.recording.reader import Recording

NOT_STORED = "acknowledged-not-stored"


@dataclass(frozen=True, slots=True, kw_only=True)
class RanCell:
    """A cell that was planned. ``verdict`` and ``recording`` are None if it left none; ``why`` says why, if known."""

    cell: Cell
    verdict: Verdict | None = None
    recording: Recording | None = None
    why: str = ""


def cell_figures(ran: RanCell) -> CellFigures:
    """One of `MatrixMeasurements.cells`."""
    cell, verdict = ran.cell, ran.verdict
    empty = CellFigures(
        run=cell.name if cell.plan is not None else "",
        system=cell.system.name,
        scenario=cell.scenario,
        servers=cell.servers,
        repetition=cell.repetition,
        because=cell.because or ran.why,
    )
    if verdict is None or verdict.run is None or ran.recording is None:
        return empty
    assert cell.plan is not None, "a cell without a plan is never run"
    member = Member(
        order=cell.order, curve=Curve.CONSTANT, repetition=cell.repetition, plan=cell.plan, predicted_s=cell.predicted_s
    )
    cost = row(Ran(member=member, verdict=verdict, recording=ran.recording))
    measured = verdict.run
    return replace(
        empty,
        status=verdict.status,
        because=_because(verdict) or empty.because,
        safety=_safety(verdict.findings),
        latency=_limited(verdict, measured),
        acknowledgement=measured.acknowledgement,
        fan_out=measured.steps.fan_out if measured.steps else None,
        delivery=measured.delivery.total if measured.delivery else None,
        not_stored=_not_stored(verdict.findings),
        messages_hz=cost.messages_hz,
        deliveries_hz=cost.deliveries_hz,
        system_cores=cost.system_cores,
        cpu_us_per_delivery=cost.cpu_us_per_delivery,
        broker_cores=cost.broker.cpu_cores if cost.broker else None,
        broker_rss_bytes=_broker_rss_bytes(ran.recording),
        recovery_s=measured.recovery.backfilled_s if measured.recovery else None,
        start_s=_start_s(ran.recording),
    )


def _because(verdict: Verdict) -> str:
    """The first finding that decided, if the cell did not pass."""
    if verdict.status is Status.PASS:
        return ""
    return next((finding.summary for finding in verdict.findings if finding.status is verdict.status), "")


def _safety(findings: Sequence[Finding]) -> Status:
    """The worst safety finding; UNKNOWN without one."""
    found = [finding.status for finding in findings if finding.kind is Kind.SAFETY]
    return worst(found) if found else Status.UNKNOWN


def _limited(verdict: Verdict, measured: RunMeasurements) -> Percentiles:
    """The latency that the scenario limits."""
    live = any(wish.measure == "live_latency_ms" for wish in verdict.plan.expectations)
    return measured.live_latency or measured.latency if live else measured.latency


def _not_stored(findings: Sequence[Finding]) -> int | None:
    found = next((finding.measured for finding in findings if finding.check == NOT_STORED), None)
    return found if isinstance(found, int) else None


def _broker_rss_bytes(recording: Recording) -> int | None:
    seen = [
        int(sample["processes"]["broker"]["rss_bytes"])
        for sample in resources.samples(recording)
        if "broker" in sample.get("processes", {})
    ]
    return max(seen, default=None)


def _start_s(recording: Recording) -> float | None:
    """From the beginning of the start to that of connecting: until every part of the cluster was ready."""
    began = {event.get("name"): event["at_ns"] for event in recording.events if event.get("event") == "phase"}
    if "start" not in began or "connect" not in began:
        return None
    return round(float(began["connect"] - began["start"]) / 1e9, 2)
