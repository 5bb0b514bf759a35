"""The checks of each single run of a sweep: delivery, latency below its limit, validity, a complete end."""

from collections.abc import Sequence

from harness.checks.check import Answer
from harness.checks.statistics.distribution import loss_bound
from harness.checks.sweep.member import Ran
from harness.model.finding import Bias, Finding, Kind, Status, worst


def delivery(runs: Sequence[Ran]) -> Answer:
    """100 % delivery at every count: the safety findings of every run."""
    found = {ran.member.name: _of_kind(ran, Kind.SAFETY) for ran in runs}
    status = worst(finding.status for findings in found.values() for finding in findings)
    if any(not findings for findings in found.values()) and status is Status.PASS:
        status = Status.UNKNOWN
    red = [f"{name}: {one.summary}" for name, many in found.items() for one in many if one.status is not Status.PASS]
    red += [f"{name}: left no verdict" for name, many in found.items() if not many]
    lost = [one for many in found.values() for one in many if one.check == "lost"]
    messages, pairs = sum(one.samples for one in lost), sum(one.pairs or 0 for one in lost)
    summary = (
        f"every safety check passed in all {len(runs)} runs: {pairs:,} expected deliveries arrived, each once, in order"
        if status is Status.PASS
        else f"{len(red)} safety checks of {len(runs)} runs did not pass"
    )
    return Answer(
        status=status,
        summary=summary,
        measured={"not_passed": len(red)},
        expected={"not_passed": 0},
        samples=messages,
        pairs=pairs,
        confidence=loss_bound(messages, pairs) if messages and status is Status.PASS else "",
        examples=tuple(red[:20]),
    )


def latency_limit(runs: Sequence[Ran]) -> Answer:
    """The scenario's limit of latency, in every run."""
    found = {ran.member.name: [f for f in _of_kind(ran, Kind.PERFORMANCE) if "latency" in f.check] for ran in runs}
    status = worst(finding.status for findings in found.values() for finding in findings)
    if any(not findings for findings in found.values()) and status is Status.PASS:
        status = Status.UNKNOWN
    red = [f"{name}: {one.summary}" for name, many in found.items() for one in many if one.status is not Status.PASS]
    red += [f"{name}: left no verdict" for name, many in found.items() if not many]
    summary = (
        f"the latency limit was kept in all {len(runs)} runs"
        if status is Status.PASS
        else f"the latency limit was not shown to be kept in {len(red)} of {len(runs)} runs"
    )
    return Answer(
        status=status,
        summary=summary,
        measured={
            ran.member.name: {"p99_ms": ran.verdict.run.latency.p99_ms if ran.verdict.run else None}
            for ran in runs
            if ran.verdict
        },
        expected="every run below its limit",
        samples=len(runs),
        examples=tuple(red[:20]),
    )


def _of_kind(ran: Ran, kind: Kind) -> list[Finding]:
    return [] if ran.verdict is None else [finding for finding in ran.verdict.findings if finding.kind is kind]


def completeness(runs: Sequence[Ran]) -> Answer:
    missing = [ran.member.name for ran in runs if ran.verdict is None]
    status = Status.UNKNOWN if missing or not runs else Status.PASS
    return Answer(
        status=status,
        summary=f"{len(runs) - len(missing)} of {len(runs)} planned runs were made and judged",
        measured=len(runs) - len(missing),
        expected=len(runs),
        samples=len(runs),
        examples=tuple(missing[:20]),
    )


def validity(runs: Sequence[Ran]) -> Answer:
    """Can the measurement of every run be trusted? Each run's own verdict has applied its bias already."""
    biased: list[tuple[str, str]] = []
    optimistic, checks = False, set()
    for ran in runs:
        found = _of_kind(ran, Kind.VALIDITY)
        if not found:
            optimistic = True
            biased.append((ran.member.name, "it has no validity findings"))
        for finding in found:
            if finding.bias is not None:
                optimistic |= finding.bias is Bias.OPTIMISTIC
                checks.add(finding.check)
                biased.append((ran.member.name, finding.summary))
    names = {name for name, _ in biased}
    named = f": {', '.join(sorted(checks))}" if checks else ""
    summary = f"all validity checks passed in all {len(runs)} runs"
    if biased:
        summary = f"the measurement may be biased in {len(names)} of {len(runs)} runs{named}"
    return Answer(
        status=Status.UNKNOWN if biased or not runs else Status.PASS,
        summary=summary if runs else "not known: no run was made",
        measured={"biased_runs": len(names)},
        expected={"biased_runs": 0},
        samples=len(runs),
        examples=tuple(f"{name}: {summary}" for name, summary in biased[:20]),
        bias=Bias.OPTIMISTIC if optimistic or not runs else Bias.PESSIMISTIC,
    )
