"""Losses during the run outside of the planned faults: connections of clients, backplanes of servers."""

from collections import Counter

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.sessions import NEVER
from harness.model.finding import Bias, Kind, Status

PLANTED = "tests/harness/checks/run/test_interruptions.py::"

# Conventions (docs/results.md says why each).
SHARE_LIMIT = 0.01
"""An event at one client in a hundred, or in a hundredth of the time, decides a P99."""


def _interruptions(case: Case) -> Answer:
    evidence = case.evidence
    found, sessions = evidence.interruptions, evidence.sessions
    clients = len(np.unique(sessions.client[found.lost]))
    codes = Counter(sessions.close_code[found.lost].tolist())
    away_s = _away_s(case)
    longest_s = max(away_s.values(), default=0.0)
    parts = []
    if codes:
        listed = ", ".join(f"{count:,} × {code}" for code, count in codes.most_common())
        parts.append(f"{len(found.lost):,} connections of {clients:,} clients were lost (close codes: {listed})")
    parts += [f"{name} had no backplane for {seconds:.1f} s" for name, seconds in away_s.items()]
    undated = {gap.server for gap in found.undated}
    if undated:
        names = ", ".join(f"server-{server + 1}" for server in sorted(undated))
        parts.append(f"the clock of {names} cannot be compared with the harness's: it is not known when that was")
    if parts:
        parts.append(f"{case.tally.timings.disturbed_count:,} measured deliveries are counted as recovered")
    tolerable = clients < SHARE_LIMIT * evidence.plan.clients and longest_s < SHARE_LIMIT * evidence.plan.duration_s
    outside = "outside of the planned outages" if evidence.plan.faults else "although no fault was planned"
    return Answer(
        status=Status.PASS if tolerable or not found else Status.UNKNOWN,
        summary=f"{outside}: {'; '.join(parts)}"
        if parts
        else "no connection and no backplane was lost without a planned fault",
        measured={
            "connections": len(found.lost),
            "clients": clients,
            "longest_without_backplane_s": round(longest_s, 3),
        },
        expected={
            "clients_below": round(SHARE_LIMIT * evidence.plan.clients, 2),
            "longest_without_backplane_s_below": round(SHARE_LIMIT * evidence.plan.duration_s, 3),
        },
        samples=evidence.plan.clients,
        examples=_examples(case),
    )


def _away_s(case: Case) -> dict[str, float]:
    """By server: how long it had no backplane in all. The time counts to the end of the measured window if the
    backplane never returned, and for the whole window if the server's clock does not show the begin."""
    found: Counter[str] = Counter()
    _, end_ns = case.evidence.window_ns
    interruptions = case.evidence.interruptions
    for gap in interruptions.backplane:
        until_ns = max(end_ns, gap.begin_ns) if gap.end_ns == NEVER else gap.end_ns
        found[f"server-{gap.server + 1}"] += until_ns - gap.begin_ns
    for gap in interruptions.undated:
        whole_ns = int(case.evidence.plan.duration_s * 1e9)
        found[f"server-{gap.server + 1}"] += whole_ns if gap.end_ns == NEVER else gap.end_ns - gap.begin_ns
    return {name: ns / 1e9 for name, ns in sorted(found.items())}


def _examples(case: Case) -> tuple[str, ...]:
    evidence = case.evidence
    sessions, begin_ns = evidence.sessions, evidence.begin_ns
    return tuple(
        f"client {sessions.client[row]} lost server-{sessions.server[row] + 1} at "
        f"{(sessions.ended_ns[row] - begin_ns) / 1e9:.2f} s, "
        f"close code {sessions.close_code[row]}"
        for row in evidence.interruptions.lost[:20].tolist()
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="interruptions",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_interruptions,
        needs=(Need.SESSIONS, Need.BACKPLANE, Need.EVENTS),
        red_when=(
            "outside of the planned outages 1 % of the clients or more lost their connection, or a server had no "
            "backplane for 1 % of the measured time or longer. That much decides a P99, and meanwhile the load was "
            "lower than planned. Less is reported and passes"
        ),
        what_to_do="the close codes in docs/protocol.md; the logs of the servers and of the broker",
        planted_bug=f"{PLANTED}test_connections_that_are_lost_unasked_are_told_with_their_codes",
    ),
)
