"""Was the measured cluster the planned one: did every server have its clients and posts, and did it answer at the
end?"""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.evidence import Evidence, Ints
from harness.model.fault import Target
from harness.model.finding import Bias, Kind, Status
from harness.planning.placement import client_servers
from harness.recording.format import UNSENT

PLANTED = "tests/harness/checks/run/test_placement.py::"

# Conventions (docs/results.md says why each).
SHARE_AT_LEAST = 0.95


def _placement(case: Case) -> Answer:
    """Each server had its clients at the beginning and at the end of the measured window, and took its posts. The end
    and the posts are not checked if a fault of the plan moves clients or posts."""
    evidence = case.evidence
    planned = _by_server(evidence, client_servers(evidence.plan))
    moments = dict(zip(("beginning", "end"), evidence.window_ns, strict=True))
    moved_by_fault = any(
        fault.target in (Target.SERVER, Target.SERVERS, Target.CLIENTS) for fault in evidence.plan.faults
    )
    if moved_by_fault:
        del moments["end"]
    problems, found = [], planned
    for word, at_ns in moments.items():
        found = _by_server(evidence, evidence.sessions.server[evidence.sessions.present_at(at_ns)])
        problems += [
            f"server-{server + 1} had {found[server]:,} of {planned[server]:,} clients at the {word} of the measured "
            "window"
            for server in _short(found, planned)
        ]
    if not moved_by_fault:
        problems += _posts(evidence)
    if not evidence.start_ns:
        problems = ["not known: the schedule never began"]
    summary = f"all {evidence.plan.servers} servers had their clients and took their posts"
    return Answer(
        status=Status.UNKNOWN if problems else Status.PASS,
        summary="; ".join(problems[:4]) or summary,
        measured={f"server-{server + 1}": int(count) for server, count in enumerate(found)},
        expected={f"server-{server + 1}": int(count) for server, count in enumerate(planned)},
        samples=evidence.plan.clients,
        examples=tuple(problems[:20]),
    )


def _by_server(evidence: Evidence, servers: Ints) -> Ints:
    return np.bincount(servers, minlength=evidence.plan.servers)[: evidence.plan.servers].astype(np.int64)


def _short(found: Ints, planned: Ints) -> list[int]:
    """Servers with less than their share."""
    return np.flatnonzero(found < SHARE_AT_LEAST * planned).tolist()


def _posts(evidence: Evidence) -> list[str]:
    if not evidence.has_ledger:
        return []
    sent = evidence.measured & (evidence.outcome != UNSENT)
    meant = evidence.schedule.server[sent].astype(np.int64)
    stayed = evidence.recording.posts["server"][sent] == meant
    planned, found = _by_server(evidence, meant), _by_server(evidence, meant[stayed])
    return [
        f"server-{server + 1} took {found[server]:,} of {planned[server]:,} posts that were planned for it"
        for server in _short(found, planned)
    ]


def _servers_answer(case: Case) -> Answer:
    """Every server still answered when the load was over."""
    servers = case.evidence.plan.servers
    event = case.evidence.recording.event("answering")
    if event is None:
        summary = "not known: the harness asked no server after the load"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=servers)
    problems = {str(name): str(problem) for name, problem in (event.get("servers") or {}).items() if problem}
    answering = len(event.get("servers") or {}) - len(problems)
    summary = "; ".join(
        f"{name} did not answer after the load: {problem}" for name, problem in sorted(problems.items())
    )
    return Answer(
        status=Status.PASS if answering >= servers else Status.UNKNOWN,
        summary=summary or f"{answering} of {servers} servers answered after the load",
        measured=answering,
        expected=servers,
        samples=servers,
        examples=tuple(problems)[:20],
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="placement",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_placement,
        needs=(Need.SESSIONS, Need.LEDGER, Need.EVENTS),
        red_when=(
            "at the beginning or at the end of the measured window a server had less than 95 % of its planned "
            "clients, or it took less than 95 % of its planned posts, so other servers did its work. If a fault of "
            "the plan hits servers or clients, the end and the posts are not compared"
        ),
        what_to_do="that server's log: does it complete handshakes, and did it run until the end?",
        planted_bug=f"{PLANTED}test_a_server_without_its_clients_is_found",
    ),
    Check(
        name="servers-answer",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_servers_answer,
        needs=(Need.EVENTS,),
        red_when="a server did not answer after the load",
        what_to_do="that server's log",
        planted_bug=f"{PLANTED}test_a_server_that_no_longer_answers_is_found",
    ),
)
