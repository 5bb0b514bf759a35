"""The tables of a single run, each from one part of the measurements. A missing part gives None."""

from dataclasses import fields

from harness.model.backplane_setting import words
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.plan import Plan
from harness.report.text.component_titles import database_title, kind_title
from harness.report.text.quantities import count, formatted, heading, in_unit, many, milliseconds
from harness.report.text.table import Cell, Table, figures, grid, pairs, text

_CLASSES = {
    "expected": "Deliveries expected",
    "lost_tail": "Lost at the tail",
    "duplicates_wire": "Duplicate on the wire",
    "duplicates_visible": "Duplicate as the client sees it",
}
_HARM = ("lost", "lost_tail", "duplicates_visible", "out_of_order", "phantom")
_RECOVERIES = {
    "automatic": "automatic: the servers by themselves",
    "manual": "manual: the servers wait for a request",
    "off": "off: no server recovers messages that the backplane lost",
}


def latencies(run: RunMeasurements | None) -> Table | None:
    if run is None:
        return None
    named = (
        ("Delivery", "intended time → received by one client", run.latency),
        ("Live", "the deliveries that came over the backplane", run.live_latency),
        ("Recovered", "the deliveries that servers read from the database", run.recovered_latency),
        ("Completion", "intended time → received by the last client of the audience", run.completion),
        ("Acknowledgement", "intended time → answered", run.acknowledgement),
        ("Send lateness", "intended time → sent", run.send_late),
    )
    lines = tuple(
        (
            Cell(text=name, lines=(meaning,)),
            *(
                figures(milliseconds(at_ms))
                for at_ms in (found.p50_ms, found.p95_ms, found.p99_ms, found.p999_ms, found.max_ms)
            ),
            figures(count(found.count)),
        )
        for name, meaning, found in named
        if found is not None
    )
    columns = ("Latency", "P50", "P95", "P99", "P99.9", "Max", "Samples")
    return Table(caption="Latencies of the measured window", columns=columns, rows=lines)


def ledger(run: RunMeasurements | None) -> Table | None:
    """The outcomes of posts and deliveries, phase by phase."""
    if run is None or run.delivery is None:
        return None
    phases = run.delivery
    counts = (phases.probe, phases.warm_up, phases.measured, phases.total)
    names = [field.name for field in fields(DeliveryCounts)]
    return Table(
        caption="Outcomes of messages and deliveries",
        columns=("Class", "Probe", "Warm-up", "Measured", "All"),
        rows=tuple(
            (text(_CLASSES.get(name, heading(name))), *(_counted(name, getattr(phase, name)) for phase in counts))
            for name in names
        ),
    )


def _counted(name: str, found: int) -> Cell:
    return figures(count(found), status="fail" if name in _HARM and found else "")


def indeterminate(run: RunMeasurements | None) -> str:
    """An explanation of indeterminate posts; empty if there are none."""
    posts = run.delivery.total.indeterminate if run and run.delivery else 0
    if not posts:
        return ""
    return (
        f"{many(posts, 'post')} ended indeterminate: the answer never came, or the answer left the outcome open. Such "
        "a message may be stored or not, and both are correct; one that is stored must be delivered like any other. "
        "It is counted here, and no denominator is made smaller by it."
    )


def lost_at(run: RunMeasurements | None) -> Table | None:
    """The hop at which each lost delivery was lost."""
    hops = run.lost_at if run else ()
    lines = tuple((text(heading(lost.hop)), figures(count(lost.deliveries))) for lost in hops)
    return Table(caption="Where deliveries were lost", columns=("Lost at", "Deliveries"), rows=lines) if lines else None


def not_measured(run: RunMeasurements | None) -> Table | None:
    """Measurements that the recording does not allow, and the reasons. None if everything was measured."""
    lines = tuple((text(heading(one.name)), text(one.reason)) for one in run.not_measured) if run else ()
    return Table(caption="Not measured", columns=("Measurement", "Why"), rows=lines, prose=True) if lines else None


def server_grid(run: RunMeasurements | None) -> Table | None:
    return grid("Server by server", "Server", [(server.name, server) for server in run.servers] if run else [])


def worker_grid(run: RunMeasurements | None) -> Table | None:
    return grid("Load workers", "Worker", [(worker.name, worker) for worker in run.workers] if run else [])


def publisher_pairs(run: RunMeasurements | None) -> Table | None:
    return pairs("The publisher", run.publisher if run else None)


def resource_pairs(run: RunMeasurements | None) -> tuple[Table, ...]:
    """One table each for broker, database and machine, if there are figures of them."""
    if run is None:
        return ()
    found = (
        pairs(kind_title(run.broker.kind), run.broker) if run.broker else None,
        pairs(kind_title(run.database.kind), run.database) if run.database else None,
        pairs("Machine", run.machine),
    )
    return tuple(table for table in found if table)


def reductions(plan: Plan) -> Table | None:
    lines = tuple((text(cut.what), text(cut.wanted), text(cut.planned), text(cut.because)) for cut in plan.reductions)
    columns = ("What", "Scenario", "This run", "Because")
    caption = "Numbers that were lowered to fit this machine"
    return Table(caption=caption, columns=columns, rows=lines, prose=True) if lines else None


def plan_table(plan: Plan) -> Table:
    """The plan of the run."""
    entries = {
        "scenario": plan.scenario,
        "run": plan.run_id,
        "seed": str(plan.seed),
        "environment": plan.environment,
        "backplane": plan.backplane + (f" ({words(plan.backplane_settings)})" if plan.backplane_settings else ""),
        "database": database_title(),
        "write path": plan.write_path,
        "size": f"{plan.size.value}{', forced' if plan.forced else ''}",
        "servers": count(plan.servers),
        "clients": count(plan.clients),
        "synchronous commit": "on"
        if plan.synchronous_commit
        else "off: PostgreSQL confirms a COMMIT before it is on disk",
        "placement": plan.placement,
        "audience": f"{count(plan.audience)} clients per channel (asked: {plan.asked_audience})",
        "channels": count(plan.channels),
        "rate": f"{formatted(plan.rate_hz)} messages/s, {formatted(plan.deliveries_per_s)} deliveries/s",
        "faults": "; ".join(map(str, plan.faults)) or "none",
        "recovery": _RECOVERIES.get(plan.recovery, plan.recovery),
        "duration": f"{in_unit(plan.duration_s, 's')} after {in_unit(plan.warm_up_s, 's')} of warm-up",
        "text": formatted(plan.text_bytes, "text_bytes"),
        "load workers": count(plan.workers),
        "predicted need": (
            f"{formatted(plan.need.cores)} cores, {formatted(plan.need.memory_bytes, 'memory_bytes')} memory"
        ),
    }
    if plan.certificates:
        entries["certificates"] = plan.certificates
    return Table(
        caption="The plan",
        columns=("Setting", "Value"),
        rows=tuple((text(name), text(words)) for name, words in entries.items()),
    )
