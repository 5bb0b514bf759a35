"""The tables of the report, each from one part of the measurements. A part that is not there gives None."""

from typing import Any

from harness.model.finding import Verdict
from harness.report.text.lookup import part, rows, value
from harness.report.text.quantities import UNKNOWN, count, heading, in_unit, many, milliseconds, told
from harness.report.text.step_tables import outcome
from harness.report.text.table import Cell, Table, figures, text

_LATENCIES = {
    "latency_ms": ("Delivery", "intended time → received by one client"),
    "live_latency_ms": ("Live", "the deliveries that came over the backplane"),
    "recovered_latency_ms": ("Recovered", "the deliveries that were filled in from the database"),
    "completion_ms": ("Completion", "intended time → received by the last client of the audience"),
    "service_ms": ("Service", "sent → received by one client"),
    "acknowledgement_ms": ("Acknowledgement", "intended time → answered"),
    "send_late_ms": ("Send lateness", "intended time → sent"),
}
_STATISTICS = ("p50", "p95", "p99", "p999", "max")
_CLASSES = {
    "posted": "Posted",
    "acknowledged": "Acknowledged",
    "rejected": "Rejected",
    "indeterminate": "Indeterminate",
    "expected": "Deliveries expected",
    "delivered": "Delivered",
    "lost": "Lost",
    "lost_tail": "Lost at the tail",
    "duplicates_wire": "Duplicate on the wire",
    "duplicates_visible": "Duplicate as the client sees it",
    "out_of_order": "Out of order",
    "phantom": "Phantom",
}
_HARM = ("lost", "lost_tail", "duplicates_visible", "out_of_order", "phantom")
_RECOVERIES = {
    "automatic": "automatic: the servers by themselves",
    "manual": "manual: the servers wait for a request",
    "off": "off: nobody fills in what the backplane lost",
}
_PHASES = {"probe": "Probe", "warm_up": "Warm-up", "measured": "Measured"}


def latencies(verdict: Verdict) -> Table | None:
    found = {key: part(verdict.measurements, key) for key in _LATENCIES}
    lines = tuple(
        (
            Cell(text=_LATENCIES[key][0], lines=_LATENCIES[key][1:]),
            *(figures(milliseconds(value(row, statistic))) for statistic in _STATISTICS),
            figures(count(value(row, "count"))),
        )
        for key, row in found.items()
        if row
    )
    columns = ("Latency", *(heading(statistic) for statistic in _STATISTICS), "Samples")
    return Table(caption="Latencies of the measured window", columns=columns, rows=lines) if lines else None


def ledger(verdict: Verdict) -> Table | None:
    """What became of every post and of every delivery, phase by phase."""
    phases = {name: part(verdict.measurements, "delivery_by_phase", name) for name in _PHASES}
    columns = {_PHASES[name]: row for name, row in phases.items() if row}
    if len(columns) > 1:
        every = {str(key) for row in columns.values() for key in row}
        columns["All"] = {key: sum(_integer(row.get(key)) for row in columns.values()) for key in every}
    keys = [key for key in _CLASSES if any(key in row for row in columns.values())]
    keys += sorted({str(key) for row in columns.values() for key in row} - set(_CLASSES))
    if not keys:
        return None
    return Table(
        caption="What became of each message and delivery",
        columns=("Class", *columns),
        rows=tuple(
            (text(_CLASSES.get(key, heading(key))), *(_counted(key, row.get(key)) for row in columns.values()))
            for key in keys
        ),
    )


def indeterminate(verdict: Verdict) -> str:
    """What the posts mean of which nobody knows how they ended; empty where there are none."""
    posts = sum(
        _integer(part(verdict.measurements, "delivery_by_phase", name).get("indeterminate")) for name in _PHASES
    )
    if not posts:
        return ""
    return (
        f"{many(posts, 'post')} ended indeterminate: the answer never came, or said that nobody knows. Such a message may "
        "be stored or not, and either is right; one that is stored must be delivered like any other. It is counted here, "
        "and no denominator is made smaller by it."
    )


def _integer(found: object) -> int:
    return found if isinstance(found, int) else 0


def _counted(key: str, found: object) -> Cell:
    return figures(count(found), status="fail" if key in _HARM and found else "")


def lost_at(verdict: Verdict) -> Table | None:
    """The hop that lost what was lost."""
    hops = part(verdict.measurements, "lost_at")
    lines = tuple((text(heading(str(hop))), figures(count(found))) for hop, found in hops.items())
    return Table(caption="Where deliveries were lost", columns=("Lost at", "Deliveries"), rows=lines) if lines else None


def decisions(verdict: Verdict) -> Table | None:
    lines = tuple(
        (
            Cell(text=str(row.get("adr", UNKNOWN)), lines=(str(row.get("title", "")),)),
            outcome(row.get("status")),
            text(told(row.get("evidence"))),
        )
        for row in rows(verdict.measurements, "decisions")
    )
    columns = ("Decision", "This run", "Evidence")
    return (
        Table(caption="Architecture decisions and what this run says of them", columns=columns, rows=lines, prose=True)
        if lines
        else None
    )


def reductions(verdict: Verdict) -> Table | None:
    lines = tuple(
        (text(cut.what), text(cut.wanted), text(cut.planned), text(cut.because)) for cut in verdict.plan.reductions
    )
    columns = ("What", "Scenario", "This run", "Because")
    return (
        Table(caption="What was lowered to fit this machine", columns=columns, rows=lines, prose=True)
        if lines
        else None
    )


def settings(verdict: Verdict) -> Table:
    """What decided the run."""
    plan = verdict.plan
    entries: dict[str, Any] = {
        "scenario": plan.scenario,
        "run": plan.run_id,
        "seed": str(plan.seed),
        "environment": plan.environment,
        "backplane": plan.backplane,
        "write path": plan.write_path,
        "size": f"{plan.size.value}{', forced' if plan.forced else ''}",
        "servers": count(plan.servers),
        "clients": count(plan.clients),
        "audience": f"{count(plan.audience)} clients per channel (asked: {plan.asked_audience})",
        "channels": count(plan.channels),
        "rate": f"{told(plan.rate_hz)} messages/s, {told(plan.deliveries_per_s)} deliveries/s",
        "faults": "; ".join(map(str, plan.faults)) or "none",
        "recovery": _RECOVERIES.get(plan.recovery, plan.recovery),
        "duration": f"{in_unit(plan.duration_s, 's')} after {in_unit(plan.warm_up_s, 's')} of warm-up",
        "text": told(plan.text_bytes, "text_bytes"),
        "load workers": count(plan.workers),
        "predicted need": f"{told(plan.need.cores)} cores, {told(plan.need.memory_bytes, 'memory_bytes')} memory",
    }
    return Table(
        caption="The plan",
        columns=("Setting", "Value"),
        rows=tuple((text(name), text(words)) for name, words in entries.items()),
    )
