"""The narrative of an outage, made from the figures: paragraphs for the page, key lines for the terminal.

A missing figure is named as missing, not estimated.
"""

from collections.abc import Callable, Iterator

from harness.model.fault import Fault, Target
from harness.model.finding import Verdict
from harness.model.measurements.recovery import PostCounts, Rebroadcast, Recovery, ServerRecovery
from harness.report.text.outage import endings, faults, has_outage, injected, recovery, subject
from harness.report.text.quantities import SPACE, count, many, milliseconds, seconds
from harness.report.text.recovery_tables import answers, reconnections

Moment = Callable[[ServerRecovery], float | None]
_BY_HAND = "The servers waited for a request before they recovered the missing messages"
_MANNERS = {
    "automatic": "The servers recovered by themselves; the harness did not ask them to.",
    "off": "Recovery was switched off: no server recovered the messages that the backplane lost.",
}


def paragraphs(verdict: Verdict) -> tuple[str, ...]:
    """The faults; the posts during the outage; the recovery; the clients. Empty if no fault was planned."""
    if not has_outage(verdict):
        return ()
    parts = (_faults(verdict), _posts(recovery(verdict)), _recovery(verdict), _clients(verdict))
    return tuple(" ".join(sentences) for part in parts if (sentences := list(part)))


def key_lines(verdict: Verdict) -> tuple[tuple[str, str], ...]:
    """(name, figures), the narrative in a few lines. Empty if no fault was planned."""
    if not has_outage(verdict):
        return ()
    measured, run = recovery(verdict), verdict.run
    before, during = (measured.posts.before, measured.posts.during) if measured else (None, None)
    lines = [("Outage", _in_short(fault, verdict)) for fault in faults(verdict)]
    posted, acknowledged = (during.posted, during.acknowledged) if during else (None, None)
    lines.append(("Posts meanwhile", f"{count(acknowledged)} of {count(posted)} acknowledged"))
    earlier, later = (milliseconds(posts.ack_p99_ms if posts else None) for posts in (before, during))
    lines.append(("Acknowledged P99", f"before {earlier} · during {later}"))
    servers, anchor = measured.servers if measured else (), f"after {_back(verdict)}"
    for name, ends, since in (
        ("Noticed", _ends(servers, _detected), "after the fault began"),
        ("Resubscribed", _ends(servers, _resubscribed), anchor),
    ):
        if ends:
            lines.append((name, _between(*ends, since)))
    backfilled_s = measured.backfilled_s if measured else None
    lines.append(("Backfilled", "not recorded" if backfilled_s is None else _since(backfilled_s, anchor)))
    for name, found in (("Live", run and run.live_latency), ("Recovered", run and run.recovered_latency)):
        if found:
            lines.append((f"{name} P99", f"{milliseconds(found.p99_ms)} · {count(found.count)} deliveries"))
    return tuple(lines)


def _in_short(fault: Fault, verdict: Verdict) -> str:
    measured, times = recovery(verdict), fault.times
    if measured is None or times is None:
        return f"{fault}: not recorded"
    end = "not back" if times.back_ns is None else f"back after {seconds(times.outage_s)}"
    begun = seconds(measured.on_axis_s(times.begun_ns))
    return f"{injected(fault, verdict.plan)} at {begun}{_ended(fault)} · {end}"


def _ended(fault: Fault) -> str:
    found = endings(fault)
    return f" ({', '.join(found)})" if found else ""


def _faults(verdict: Verdict) -> Iterator[str]:
    measured = recovery(verdict)
    for fault in faults(verdict):
        times = fault.times
        if measured is None or times is None:
            yield f"The plan was: {fault}. Whether and when that happened is not recorded."
            continue
        begun = seconds(measured.on_axis_s(times.begun_ns))
        yield f"{injected(fault, verdict.plan)} {begun} into the measured time{_ended(fault)}."
        it = "They were" if subject(fault, verdict.plan).plural else "It was"
        if times.back_ns is None:
            yield f"That {it.lower()} back again is not recorded."
        else:
            back = seconds(measured.on_axis_s(times.back_ns))
            yield f"{it} back at {back}, after an outage of {seconds(times.outage_s)}."


def _posts(measured: Recovery | None) -> Iterator[str]:
    if measured is None:
        yield "How many posts were due meanwhile is not recorded."
        return
    during = measured.posts.during
    outcomes = ", ".join(
        f"{count(posts)} {name}"
        for name, posts in (
            ("acknowledged", during.acknowledged),
            ("rejected", during.rejected),
            ("indeterminate", during.indeterminate),
        )
    )
    yield f"{many(during.posted, 'post')} {'was' if during.posted == 1 else 'were'} due meanwhile: {outcomes}."
    if during.acknowledged:
        yield _answer_times(measured.posts.before, during)
    if measured.first_error_s is not None:
        last = "" if measured.last_error_s is None else f", the last at {seconds(measured.last_error_s)}"
        yield f"The first post that was not acknowledged was due at {seconds(measured.first_error_s)}{last}."
    if named := answers(measured):
        yield f"Those posts were answered: {named}."


def _answer_times(before: PostCounts, during: PostCounts) -> str:
    half, most = milliseconds(during.ack_p50_ms), milliseconds(during.ack_p99_ms)
    earlier = f"{milliseconds(before.ack_p50_ms)} and {milliseconds(before.ack_p99_ms)}"
    return f"Half of the answers came within {half}, 99{SPACE}% within {most}; before the outage within {earlier}."


def _recovery(verdict: Verdict) -> Iterator[str]:
    measured, plan = recovery(verdict), verdict.plan
    servers, anchor = measured.servers if measured else (), f"after {_back(verdict)}"
    yield _of_servers(servers, _detected, "noticed the outage", "after it began")
    if any(fault.target is Target.BROKER for fault in plan.faults) or _ends(servers, _resubscribed):
        yield _of_servers(servers, _resubscribed, "subscribed to the backplane again", anchor)
    yield _manner(plan.recovery, measured.rebroadcast if measured else None)
    if measured is None or measured.backfilled_s is None:
        yield "When the last missing delivery arrived is not recorded."
    else:
        yield f"The last missing delivery reached its client {_since(measured.backfilled_s, anchor)}."


def _manner(manner: str, rebroadcast: Rebroadcast | None) -> str:
    if manner != "manual":
        return _MANNERS.get(manner, f"Recovery: {manner}.")
    if rebroadcast is None:
        return f"{_BY_HAND}; no request is recorded."
    answered_s, messages = rebroadcast.answered_s, rebroadcast.messages
    done = "no answer is recorded" if answered_s is None else f"the last answer came at {seconds(answered_s)}"
    filled = "" if messages is None else f", {many(messages, 'message')} filled in over all servers"
    return f"{_BY_HAND}: it came at {seconds(rebroadcast.asked_s)}, {done}{filled}."


def _clients(verdict: Verdict) -> Iterator[str]:
    yield reconnections(recovery(verdict)) or "Whether clients lost their connection is not recorded."
    live = verdict.run.live_latency if verdict.run else None
    recovered = verdict.run.recovered_latency if verdict.run else None
    if live:
        deliveries = f"{count(live.count)} deliveries of the measured window came live"
        yield f"{deliveries}, 99{SPACE}% of them within {milliseconds(live.p99_ms)} of the intended time."
    if recovered and not recovered.count:
        yield "None had to be recovered from the database."
    elif recovered:
        half, last = milliseconds(recovered.p50_ms), milliseconds(recovered.max_ms)
        yield f"{count(recovered.count)} were recovered: half within {half}, the last after {last}."
    if not live and not recovered:
        yield "This recording does not distinguish live from recovered deliveries."


def _detected(server: ServerRecovery) -> float | None:
    return server.detected_s


def _resubscribed(server: ServerRecovery) -> float | None:
    return server.resubscribed_s


def _of_servers(servers: tuple[ServerRecovery, ...], moment: Moment, verb: str, since: str) -> str:
    """When the servers did it: the first and the last server, and how many servers have no trace of it."""
    ends = _ends(servers, moment)
    if ends is None:
        return f"When the servers {verb} is not recorded."
    known = [server.name for server in servers if moment(server) is not None]
    everyone = "Both servers" if len(servers) == 2 else f"All {len(servers)} servers"
    silent = len(servers) - len(known)
    names = known[0] if len(known) == 1 else f"{len(known)} servers" if silent else everyone
    rest = f"; of {many(silent, 'other')} there is no trace of it" if silent else ""
    return f"{names} {verb} {_between(*ends, since)}{rest}."


def _ends(servers: tuple[ServerRecovery, ...], moment: Moment) -> tuple[float, float] | None:
    """The earliest and the latest moment of all servers; None if no server has one."""
    found = [at_s for server in servers if (at_s := moment(server)) is not None]
    return (min(found), max(found)) if found else None


def _between(first_s: float, last_s: float, since: str) -> str:
    if seconds(first_s) == seconds(last_s):
        return _since(last_s, since)
    if (first_s < 0) == (last_s < 0):
        early, late = sorted((abs(first_s), abs(last_s)))
        return f"{seconds(early)} to {_since(late if last_s >= 0 else -late, since)}"
    return f"between {_since(first_s, since)} and {seconds(last_s)} after"


def _since(at_s: float, since: str) -> str:
    """``50 ms after server-2 was back``; ``before`` if ``at_s`` is negative. ``since`` begins with ``after``."""
    return f"{seconds(abs(at_s))} {since if at_s >= 0 else since.replace('after', 'before', 1)}"


def _back(verdict: Verdict) -> str:
    """The moment that `after` counts from, e.g. ``server-2 was back``."""
    found = faults(verdict)
    if len(found) != 1:
        return "the broken part was back"
    hit = subject(found[0], verdict.plan)
    words = hit.words
    if words.startswith(("All ", "Some ")):
        words = words[0].lower() + words[1:]
    return f"{words} {hit.was} back"
