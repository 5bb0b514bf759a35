"""Does every post get a timely answer while the database is away?"""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.disturbance import broken_servers
from harness.checks.evidence.evidence import Bools
from harness.checks.evidence.tally import EXAMPLES
from harness.checks.run import durability_lag
from harness.checks.run.outage_scope import ENDING, during_outage, where_hit
from harness.checks.run.recovery import Span
from harness.model.fault import FaultKind, Target
from harness.model.finding import Kind, Status
from harness.recording.format import INDETERMINATE, REJECTED

PLANTED = "tests/harness/checks/run/test_refusal.py::"
# A convention (docs/results.md says why).
REFUSAL_LIMIT_S = 10.0
"""The server's time-out of 5 s for a statement, one second more, 2 s to connect, and room for a busy machine."""


def _clean_refusal(case: Case, outage: Span) -> Answer:
    """Without the database every post gets an answer in bounded time: refused, or outcome unknown; or it waits, where
    the database is frozen for less than the server's time-out. A server that another fault ends does not answer: its
    posts are not checked."""
    evidence = case.evidence
    database = [each for each in evidence.outages if each.fault.target is Target.DATABASE]
    if database:
        outage = Span(begin_ns=min(each.begun_ns for each in database), end_ns=max(each.back_ns for each in database))
    posts = evidence.recording.posts
    expected = {"without_answer": 0, "slowest_s_below": REFUSAL_LIMIT_S}
    due: Bools = outage.holds(evidence.intended_ns)
    if not evidence.has_ledger or not due.any():
        summary = "not known: no post was due meanwhile"
        return Answer(status=Status.UNKNOWN, summary=summary, expected=expected)
    failed = np.isin(evidence.outcome, (REJECTED, INDETERMINATE))
    ended = [fault for fault in evidence.plan.faults if fault.kind in ENDING]
    asked = (failed | due) & (posts["sent_ns"] > 0) & ~np.isin(posts["server"], broken_servers(ended))
    # In a run that was cut short an answer may have been on its way.
    silent = np.flatnonzero(asked & (posts["http_status"] == 0) & evidence.complete)
    answered = asked & (posts["http_status"] > 0)
    refused = int((failed & answered & due).sum())
    frozen = any(each.fault.kind is FaultKind.PAUSE for each in database)
    waited = int((frozen & answered & ~failed & due & (posts["answered_ns"] >= outage.end_ns)).sum())
    slowest_s = float((posts["answered_ns"] - posts["sent_ns"])[answered].max(initial=0)) / 1e9
    decided = refused + waited > 0
    status = Status.PASS if decided and evidence.complete else Status.UNKNOWN
    if len(silent) or slowest_s >= REFUSAL_LIMIT_S:
        status = Status.FAIL
    summary = (
        f"of {int(due.sum()):,} posts due without the database {refused:,} were refused; the slowest answer took "
        f"{slowest_s:.1f} s, {len(silent):,} got none"
    )
    if waited:
        summary += f", {waited:,} waited until it was back"
    return Answer(
        status=status,
        summary=summary if decided or status is Status.FAIL else f"not known: {summary}",
        measured={"without_answer": len(silent), "slowest_s": round(slowest_s, 3), "refused": refused},
        expected=expected,
        samples=int(due.sum()),
        examples=tuple(f"message {message} got no answer" for message in silent[:EXAMPLES]),
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="clean-refusal",
        kind=Kind.SAFETY,
        function=during_outage(_clean_refusal),
        # A write path that publishes first need not refuse: what it then loses is `acknowledged-not-stored`.
        applies=lambda case: where_hit(Target.DATABASE)(case) and durability_lag.commits_first(case.evidence),
        needs=(Need.LEDGER, Need.EVENTS),
        red_when=(
            "without the database a post got no answer, or got its answer after 10 s or longer. The limit is the "
            "server's time-out of 5 s for a statement, one second more, 2 s to connect, and a reserve for a busy "
            "machine. UNKNOWN if no post was refused and no post waited for the end of a freeze. Does not apply to "
            "posts to a server that another fault ended, nor to a write path that publishes before it commits"
        ),
        what_to_do="the write path's time-outs",
        planted_bug=f"{PLANTED}test_posts_that_hang_are_red",
    ),
)
