"""Do clients come back after a fault that cut their connections?"""

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.run.outage_scope import ENDING, during_outage, where_hit
from harness.checks.run.recovery import Span
from harness.model.fault import Target
from harness.model.finding import Kind, Status
from harness.model.plan import Plan

PLANTED = "tests/harness/checks/run/test_reconnection.py::"


def _reconnected(case: Case, outage: Span) -> Answer:
    """Every client that lost its connection was subscribed again at the end."""
    evidence, sessions = case.evidence, case.evidence.sessions
    away = sessions.last & ((sessions.subscribed_ns == 0) | sessions.lost)
    left = int(away.sum())
    moved = case.measured.recovery.reconnected if case.measured.recovery else None
    count = moved.clients if moved else 0
    status = Status.FAIL if left else Status.PASS
    summary = f"{left:,} clients were not subscribed at the end" if left else "every client was subscribed at the end"
    if moved and count and not left:
        summary = f"all {count:,} clients that lost their connection resumed, the slowest within {moved.last_s} s"
    elif not left and _cuts_connections(evidence.plan):
        status, summary = Status.UNKNOWN, "not known: no client lost its connection, although a server was ended"
    if not len(sessions):
        status, summary = Status.UNKNOWN, "not known: no connection was recorded"
    measured = {"left": left, "reconnected": count}
    return Answer(status=status, summary=summary, measured=measured, expected={"left": 0}, samples=count)


def _cuts_connections(plan: Plan) -> bool:
    return any(fault.target in (Target.SERVER, Target.SERVERS) and fault.kind in ENDING for fault in plan.faults)


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="reconnected",
        kind=Kind.SAFETY,
        function=during_outage(_reconnected),
        applies=where_hit(Target.SERVER, Target.SERVERS, Target.CLIENTS),
        needs=(Need.SESSIONS, Need.EVENTS),
        red_when=(
            "a client that lost its connection was not subscribed again at the end. UNKNOWN if a server was ended "
            "and no client lost its connection"
        ),
        what_to_do="the load worker's log; `/readyz` of the servers",
        planted_bug=f"{PLANTED}test_a_client_that_does_not_come_back_is_red",
    ),
)
