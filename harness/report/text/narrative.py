"""The story of an outage, told from the figures: paragraphs for the page, key lines for the terminal.

A figure that is not there is named as missing; none is guessed.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from harness.model.fault import Target
from harness.model.finding import Verdict
from harness.report.text.lookup import part, value
from harness.report.text.outage import Outage, concerns, outages, recovery
from harness.report.text.quantities import SPACE, count, many, milliseconds, number, seconds
from harness.report.text.recovery_tables import answers, reconnections

_BY_HAND = "The servers waited for a request before they filled in what was missing"
_EVERY = {2: "Both servers"}
_MANNERS = {
    "automatic": "Recovery was left to the servers; nobody asked for it.",
    "off": "Recovery was switched off: nobody was to fill in what the backplane lost.",
}


def paragraphs(verdict: Verdict) -> tuple[str, ...]:
    """What was broken; the posts meanwhile; the way back; the clients. Empty where nothing was to be broken."""
    if not concerns(verdict):
        return ()
    told = (_broken(verdict), _posts(verdict), _way_back(verdict), _clients(verdict))
    return tuple(" ".join(sentences) for one in told if (sentences := list(one)))


def key_lines(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """(name, figures), the story in a few lines. Empty where nothing was to be broken."""
    if not concerns(verdict):
        return ()
    posts, servers = part(recovery(verdict), "posts"), part(recovery(verdict), "servers")
    due, taken = (value(posts, "during", key) for key in ("posted", "acknowledged"))
    before, during = (milliseconds(value(posts, span, "ack_p99_ms")) for span in ("before", "during"))
    lines = [("Outage", _in_short(outage)) for outage in outages(verdict)]
    lines += [
        ("Posts meanwhile", f"{count(taken)} of {count(due)} acknowledged"),
        ("Acknowledged P99", f"before {before} · during {during}"),
    ]
    anchor = f"after {_back(verdict)}"
    for name, key, since in (
        ("Noticed", "detected_s", "after the fault began"),
        ("Resubscribed", "resubscribed_s", anchor),
    ):
        if ends := _ends(servers, key):
            lines.append((name, _between(*ends, since)))
    backfilled = value(recovery(verdict), "backfilled_s")
    lines.append(("Backfilled", "not recorded" if backfilled is None else _since(backfilled, anchor)))
    for name, key in (("Live", "live_latency_ms"), ("Recovered", "recovered_latency_ms")):
        if found := part(verdict.measurements, key):
            deliveries = f"{count(value(found, 'count'))} deliveries"
            lines.append((f"{name} P99", f"{milliseconds(value(found, 'p99'))} · {deliveries}"))
    return tuple(lines)


def _in_short(outage: Outage) -> str:
    what = f"{outage.subject} {outage.verb}"
    if outage.begun_s is None:
        return f"{outage.planned or what}: not recorded"
    end = "not back" if outage.back_s is None else f"back after {seconds(outage.outage_s)}"
    ending = f" ({', '.join(outage.endings)})" if outage.endings else ""
    return f"{what} at {seconds(outage.begun_s)}{ending} · {end}"


def _broken(verdict: Verdict) -> Iterator[str]:
    for outage in outages(verdict):
        if outage.begun_s is None:
            if outage.planned:
                yield f"The plan was: {outage.planned}. Whether and when that happened is not recorded."
            else:
                yield f"{outage.subject} {outage.verb}; when that happened is not recorded."
            continue
        ending = f" ({', '.join(outage.endings)})" if outage.endings else ""
        yield f"{outage.subject} {outage.verb} {seconds(outage.begun_s)} into the measured time{ending}."
        it = "They were" if outage.plural else "It was"
        if outage.back_s is None:
            yield f"That {it.lower()} back again is not recorded."
        else:
            yield f"{it} back at {seconds(outage.back_s)}, after an outage of {seconds(outage.outage_s)}."


def _posts(verdict: Verdict) -> Iterator[str]:
    measured = recovery(verdict)
    before, during = part(measured, "posts", "before"), part(measured, "posts", "during")
    due = value(during, "posted")
    if due is None:
        yield "How many posts were due meanwhile is not recorded."
    else:
        outcomes = ", ".join(
            f"{count(value(during, key))} {key}" for key in ("acknowledged", "rejected", "indeterminate")
        )
        yield f"{many(due, 'post')} {_was(due)} due meanwhile: {outcomes}."
    if value(during, "acknowledged"):
        half, most = (milliseconds(value(during, key)) for key in ("ack_p50_ms", "ack_p99_ms"))
        earlier = " and ".join(milliseconds(value(before, key)) for key in ("ack_p50_ms", "ack_p99_ms"))
        yield f"Half of the answers came within {half}, 99{SPACE}% within {most}; before the outage within {earlier}."
    first, last = value(measured, "first_error_s"), value(measured, "last_error_s")
    if first is not None:
        end = "" if last is None else f", the last at {seconds(last)}"
        yield f"The first post that was not acknowledged was due at {seconds(first)}{end}."
    if named := answers(verdict):
        yield f"Those posts were answered: {named}."


def _way_back(verdict: Verdict) -> Iterator[str]:
    measured, plan = recovery(verdict), verdict.plan
    servers, back = part(measured, "servers"), _back(verdict)
    yield _did(servers, "detected_s", "noticed the outage", "after it began")
    if any(fault.target is Target.BROKER for fault in plan.faults) or _ends(servers, "resubscribed_s"):
        yield _did(servers, "resubscribed_s", "subscribed to the backplane again", f"after {back}")
    yield _manner(plan.recovery, part(measured, "rebroadcast"))
    backfilled = value(measured, "backfilled_s")
    if backfilled is None:
        yield "When the last missing delivery arrived is not recorded."
    else:
        yield f"The last missing delivery reached its client {_since(backfilled, f'after {back}')}."


def _manner(manner: str, rebroadcast: Mapping[str, Any]) -> str:
    if manner != "manual":
        return _MANNERS.get(manner, f"Recovery: {manner}.")
    asked, answered, messages = (value(rebroadcast, key) for key in ("asked_s", "answered_s", "messages"))
    if asked is None:
        return f"{_BY_HAND}; that they were asked is not recorded."
    done = "no answer is recorded" if answered is None else f"the last answer came at {seconds(answered)}"
    filled = "" if messages is None else f", {many(messages, 'message')} filled in over all servers"
    return f"{_BY_HAND}: it came at {seconds(asked)}, {done}{filled}."


def _clients(verdict: Verdict) -> Iterator[str]:
    if sentence := reconnections(verdict):
        yield sentence
    else:
        yield "Whether clients lost their connection is not recorded."
    live, recovered = (part(verdict.measurements, key) for key in ("live_latency_ms", "recovered_latency_ms"))
    if live:
        deliveries = f"{count(value(live, 'count'))} deliveries of the measured window came live"
        yield f"{deliveries}, 99{SPACE}% of them within {milliseconds(value(live, 'p99'))} of the intended time."
    if recovered:
        if value(recovered, "count") == 0:
            yield "None had to be recovered from the database."
        else:
            half, last = (milliseconds(value(recovered, key)) for key in ("p50", "max"))
            yield f"{count(value(recovered, 'count'))} were recovered: half within {half}, the last after {last}."
    if not live and not recovered:
        yield "Live and recovered deliveries are not told apart in this recording."


def _did(servers: Mapping[str, Any], key: str, did: str, since: str) -> str:
    """When the servers did it: the first and the last of them; how many left no trace of it."""
    ends = _ends(servers, key)
    if ends is None:
        return f"When the servers {did} is not recorded."
    doers = [str(name) for name in servers if value(servers, str(name), key) is not None]
    who = doers[0] if len(doers) == 1 else _EVERY.get(len(servers), f"All {len(servers)} servers")
    rest = ""
    if silent := len(servers) - len(doers):
        who = who if len(doers) == 1 else f"{len(doers)} servers"
        rest = f"; of {many(silent, 'other')} there is no trace of it"
    return f"{who} {did} {_between(*ends, since)}{rest}."


def _ends(servers: Mapping[str, Any], key: str) -> tuple[float, float] | None:
    """The least and the greatest ``key`` of all servers; None where none has it."""
    found = [at for name in servers if (at := value(servers, str(name), key)) is not None]
    return (min(found), max(found)) if found else None


def _between(first: float, last: float, since: str) -> str:
    if seconds(first) == seconds(last):
        return _since(last, since)
    if (first < 0) == (last < 0):
        early, late = sorted((abs(first), abs(last)))
        return f"{seconds(early)} to {_since(late if last >= 0 else -late, since)}"
    return f"between {_since(first, since)} and {seconds(last)} after"


def _since(at: float, since: str) -> str:
    """``50 ms after Redis was back``, or ``… before …`` where that was earlier; ``since`` begins with ``after``."""
    return f"{seconds(abs(at))} {since if at >= 0 else since.replace('after', 'before', 1)}"


def _back(verdict: Verdict) -> str:
    """What `after` counts from: ``Redis was back``."""
    found = outages(verdict)
    if len(found) != 1:
        return "the broken part was back"
    subject = found[0].subject
    if subject.startswith(("All ", "A ", "Some ")):
        subject = subject[0].lower() + subject[1:]
    return f"{subject} {found[0].was} back"


def _was(value: object) -> str:
    return "was" if number(value) == 1 else "were"
