"""The tables of an outage: the faults, the recovery of each server, the posts before, during and after."""

from harness.model.finding import Verdict
from harness.model.measurements.recovery import AnswerCount, Recovery
from harness.report.text.outage import endings, faults, injected, recovery
from harness.report.text.quantities import SPACE, count, many, milliseconds, seconds
from harness.report.text.table import Cell, Table, figures, text

_ANSWERS_MAX = 6


def fault_table(verdict: Verdict) -> Table | None:
    """Each fault on the time axis of the figures. None if none was recorded."""
    measured = recovery(verdict)
    if measured is None:
        return None
    lines = []
    for fault in faults(verdict):
        if (times := fault.times) is None:
            continue
        moments = (times.begun_ns, times.done_ns, times.heal_ns, times.back_ns)
        lines.append(
            (
                Cell(text=injected(fault, verdict.plan), lines=endings(fault)),
                *(figures(seconds(measured.on_axis_s(at_ns))) for at_ns in moments),
                figures(seconds(times.outage_s)),
            )
        )
    columns = ("Fault", "Begun", "Injected", "Healing began", "Back", "Outage")
    return Table(caption="Injected faults and their times", columns=columns, rows=tuple(lines)) if lines else None


def server_table(measured: Recovery | None) -> Table | None:
    """When each server noticed the outage, was subscribed again, and had recovered the missing messages."""
    lines = tuple(
        (
            text(server.name),
            figures(seconds(server.detected_s)),
            figures(seconds(server.resubscribed_s)),
            figures(seconds(server.backfilled_s)),
            figures(count(server.recovered)),
        )
        for server in (measured.servers if measured else ())
    )
    columns = ("Server", "Noticed", "Resubscribed", "Last recovered delivery", "Messages recovered")
    return Table(caption="Recovery of each server", columns=columns, rows=lines) if lines else None


def post_table(measured: Recovery | None) -> Table | None:
    """The outcomes of the posts before, during and after the outage, by the time they were due."""
    if measured is None:
        return None
    posts = measured.posts
    lines = tuple(
        (
            Cell(text=span, lines=(meaning,)),
            *(figures(count(found)) for found in (row.posted, row.acknowledged, row.rejected, row.indeterminate)),
            figures(milliseconds(row.ack_p50_ms)),
            figures(milliseconds(row.ack_p99_ms)),
        )
        for span, meaning, row in (
            ("Before", "due before the outage", posts.before),
            ("During", "due during the outage", posts.during),
            ("After", "due after the outage", posts.after),
        )
    )
    columns = ("Posts", "Due", "Acknowledged", "Rejected", "Indeterminate", "Acknowledged P50", "Acknowledged P99")
    return Table(caption="Posts before, during and after", columns=columns, rows=lines)


def answers(measured: Recovery) -> str:
    """The answers to the posts that were not acknowledged, the most frequent first; empty if nothing is known."""
    often = sorted(measured.errors, key=lambda answer: answer.posts, reverse=True)
    rest = sum(answer.posts for answer in often[_ANSWERS_MAX:])
    named = ", ".join(f"{_answer(answer)} ({count(answer.posts)})" for answer in often[:_ANSWERS_MAX])
    return named + (f" and others ({count(rest)})" if rest else "")


def _answer(answer: AnswerCount) -> str:
    return "no answer" if answer.http_status is None else str(answer.http_status)


def reconnections(measured: Recovery | None) -> str:
    """The clients that lost their connection, in one sentence; empty if nothing is known of them."""
    found = measured.reconnected if measured else None
    if found is None:
        return ""
    if not found.clients:
        return "No client lost its connection."
    half, most, last = (seconds(after_s) for after_s in (found.p50_s, found.p99_s, found.last_s))
    if found.clients == 1:
        return f"1 client lost its connection and was subscribed again {last} later."
    return (
        f"{many(found.clients, 'client')} lost their connection; half of them were subscribed again within {half}, "
        f"99{SPACE}% within {most}, the last after {last}."
    )
