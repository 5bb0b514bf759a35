"""Did the service keep to the client protocol in everything that it sent, deliveries apart?"""

from collections import Counter
from collections.abc import Iterable

from harness.checks.check import Answer, Case, Check
from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.parts import Need
from harness.checks.evidence.positions import ahead, first_positions
from harness.checks.evidence.tally import EXAMPLES
from harness.model.finding import Kind, Status
from harness.model.incident import ALLOWED, OUTCOMES, VIOLATIONS, Incident, IncidentKind
from harness.recording.format import ACKNOWLEDGED

PLANTED = "tests/harness/checks/run/test_protocol_violations.py::"
REASONS = 5
"""Reasons that a summary names."""


def _protocol_violations(case: Case) -> Answer:
    evidence = case.evidence
    found = [each for each in _incidents(evidence) if each.kind in VIOLATIONS]
    positions = first_positions(evidence)
    wrong = ahead(evidence, positions)
    counts = Counter(dict.fromkeys(VIOLATIONS, 0))
    allowed = Counter(dict.fromkeys(ALLOWED, 0))
    for incident in _incidents(evidence):
        if incident.kind in ALLOWED:
            allowed[incident.kind] += incident.count
    for incident in found:
        counts[incident.kind] += incident.count
    counts[IncidentKind.POSITION] += len(wrong)
    examples = [f"{each.kind}: {each.reason}: {example}" for each in found for example in each.examples]
    examples += [
        f"{IncidentKind.POSITION}: client {client}: position {positions.seq[client]}, more than was sent by then"
        for client in wrong[:EXAMPLES].tolist()
    ]
    total = counts.total()
    exchanged = case.tally.rows + int((evidence.outcome == ACKNOWLEDGED).sum())
    status = Status.FAIL if total else (Status.PASS if exchanged else Status.UNKNOWN)
    summary = f"no violation of docs/protocol.md in {exchanged:,} deliveries and answers"
    if total:
        parts = (f"{count:,} {kind}" for kind, count in counts.most_common() if count)
        summary = f"{total:,} violations of the protocol: {', '.join(parts)}"
    elif not exchanged:
        summary = "no delivery and no answer was recorded"
    if allowed.total():
        parts = (f"{count:,} {kind}" for kind, count in allowed.most_common() if count)
        summary += f"; seen, and allowed: {', '.join(parts)}"
    return Answer(
        status=status,
        summary=summary,
        measured={str(kind): count for kind, count in (counts | allowed).items()},
        expected=0,
        samples=exchanged,
        examples=tuple(_one_of_each(examples)),
    )


def outcome_reasons(evidence: Evidence) -> str:
    """Why posts were not acknowledged, the newest reasons first, each with its count; empty if all were."""
    found: dict[str, tuple[int, int]] = {}
    for incident in _incidents(evidence):
        if incident.kind in OUTCOMES:
            count, last_ns = found.get(incident.reason, (0, 0))
            found[incident.reason] = (count + incident.count, max(last_ns, incident.last_ns))
    newest = sorted(found.items(), key=lambda each: -each[1][1])
    more = len(newest) - REASONS
    parts = [f"{count:,} × {reason}" for reason, (count, _) in newest[:REASONS]]
    return "; ".join(parts) + (f"; {more} more reasons" if more > 0 else "")


def _incidents(evidence: Evidence) -> Iterable[Incident]:
    return (each for found in evidence.recording.incidents.values() for each in found)


def _one_of_each(examples: list[str]) -> list[str]:
    """EXAMPLES of the examples, of as many kinds as there are."""
    seen: Counter[str] = Counter()
    ranked: list[tuple[int, int, str]] = []
    for example in examples:
        kind = example.partition(":")[0]
        ranked.append((seen[kind], len(ranked), example))
        seen[kind] += 1
    return [example for _, _, example in sorted(ranked)[:EXAMPLES]]


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="protocol-violations",
        kind=Kind.SAFETY,
        function=_protocol_violations,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.SESSIONS, Need.INCIDENTS),
        red_when=(
            "the service sent something that docs/protocol.md or RFC 6455 forbids: a broken frame or handshake, a "
            "binary message, text that is no event, an error or a confirmation without a request, a position that "
            "does not exist or that does not fit the next delivery, an answer that does not fit its post"
        ),
        what_to_do=(
            "`measured` counts each kind; `examples` name the client or the message and show what the service sent"
        ),
        planted_bug=f"{PLANTED}test_each_kind_of_violation_is_red",
    ),
)
