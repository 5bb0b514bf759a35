"""The tables of an outage: what was broken, each server's way back, the posts before, during and after."""

from harness.model.finding import Verdict
from harness.report.text.lookup import part, value
from harness.report.text.outage import outages, recovery
from harness.report.text.quantities import SPACE, UNKNOWN, count, many, milliseconds, number, seconds
from harness.report.text.table import Cell, Table, figures, text

_SPANS = {
    "before": ("Before", "due before the outage"),
    "during": ("During", "due while the part was away"),
    "after": ("After", "due when it was back"),
}
_ANSWERS_MAX = 6
_OUTCOMES = ("posted", "acknowledged", "rejected", "indeterminate")


def fault_table(verdict: Verdict) -> Table | None:
    """Each fault on the time axis of the figures. None where none was recorded."""
    found = [outage for outage in outages(verdict) if outage.begun_s is not None]
    lines = tuple(
        (
            Cell(text=f"{outage.subject} {outage.verb}", lines=outage.endings),
            *(figures(seconds(at)) for at in (outage.begun_s, outage.done_s, outage.heal_s, outage.back_s)),
            figures(seconds(outage.outage_s)),
        )
        for outage in found
    )
    columns = ("What was done", "Begun", "Done", "Undone", "Back", "Outage")
    return Table(caption="What was broken, and when", columns=columns, rows=lines) if lines else None


def server_table(verdict: Verdict) -> Table | None:
    """When each server noticed, was subscribed again, and had filled in what was missing."""
    servers = part(recovery(verdict), "servers")
    lines = tuple(
        (
            text(name),
            figures(seconds(value(row, "detected_s"))),
            figures(seconds(value(row, "resubscribed_s"))),
            figures(seconds(value(row, "backfilled_s"))),
            figures(count(value(row, "recovered"))),
        )
        for name in servers
        if (row := part(servers, name))
    )
    columns = ("Server", "Noticed", "Resubscribed", "Last recovered delivery", "Messages recovered")
    return Table(caption="The way back of each server", columns=columns, rows=lines) if lines else None


def post_table(verdict: Verdict) -> Table | None:
    """What became of the posts before, during and after the outage, by the time they were due."""
    spans = part(recovery(verdict), "posts")
    lines = tuple(
        (
            Cell(text=_SPANS[span][0], lines=_SPANS[span][1:]),
            *(figures(count(value(row, key))) for key in _OUTCOMES),
            figures(milliseconds(value(row, "ack_p50_ms"))),
            figures(milliseconds(value(row, "ack_p99_ms"))),
        )
        for span in _SPANS
        if (row := part(spans, span))
    )
    columns = ("Posts", "Due", "Acknowledged", "Rejected", "Indeterminate", "Acknowledged P50", "Acknowledged P99")
    return Table(caption="Posts before, during and after", columns=columns, rows=lines) if lines else None


def answers(verdict: Verdict) -> str:
    """What the posts that were not acknowledged were answered, the most frequent first; empty where nothing is known."""
    errors = part(recovery(verdict), "errors")
    often = sorted(((number(posts) or 0, str(status)) for status, posts in errors.items()), reverse=True)
    rest = sum(posts for posts, _ in often[_ANSWERS_MAX:])
    named = [f"{_answer(status)} ({count(posts)})" for posts, status in often[:_ANSWERS_MAX]]
    return ", ".join(named) + (f" and others ({count(rest)})" if rest else "")


def _answer(status: str) -> str:
    """An HTTP status with its word; 0 is no answer at all."""
    return "no answer" if status.split(" ")[0] == "0" else status or UNKNOWN


def reconnections(verdict: Verdict) -> str:
    """The clients that lost their connection, in one sentence; empty where nothing is known of them."""
    found = part(recovery(verdict), "reconnected")
    clients = value(found, "clients")
    if clients is None:
        return ""
    if not clients:
        return "No client lost its connection."
    half, most, last = (seconds(value(found, key)) for key in ("p50_s", "p99_s", "last_s"))
    if clients == 1:
        return f"1 client lost its connection and was subscribed again {last} later."
    return (
        f"{many(clients, 'client')} lost their connection; half of them were subscribed again within {half}, "
        f"99{SPACE}% within {most}, the last after {last}."
    )
