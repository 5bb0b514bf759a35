"""Is latency stable with more servers, and does each server deliver its share?"""

from collections.abc import Sequence

from harness.checks.check import Answer
from harness.checks.statistics.comparisons import holm
from harness.checks.statistics.regression import Sample, ratio, scalability_law, spread_between_runs
from harness.checks.sweep import growth
from harness.model.finding import Status
from harness.model.measurements.sweep_measurements import Efficiency, Ratio, ScalabilityLaw, SweepRun
from harness.model.sweep_plan import Curve, SweepPlan

# Conventions, fixed before the first sweep was judged by them (docs/results.md says why each).
STABLE_RATIO_LIMIT = 1.25
EFFICIENCY_LIMIT = 0.9


def _samples(rows: Sequence[SweepRun], curve: Curve) -> dict[int, list[Sample]]:
    """P99 of every run of a curve, by server count."""
    found: dict[int, list[Sample]] = {}
    for one in rows:
        if one.curve is curve and one.latency is not None and one.latency.p99_ms:
            latency = one.latency
            sample = Sample(value=one.latency.p99_ms, low=latency.p99_low_ms, high=latency.p99_high_ms)
            found.setdefault(one.servers, []).append(sample)
    return dict(sorted(found.items()))


def ratios(rows: Sequence[SweepRun], curve: Curve) -> list[Ratio]:
    """P99 at each count over P99 at the fewest servers, with its bounds."""
    points = _samples(rows, curve)
    if len(points) < 2:
        return []
    fewest, *others = points
    spread = spread_between_runs(list(points.values()))
    entries = []
    for servers in others:
        found = ratio(points[fewest], points[servers], spread, limit=STABLE_RATIO_LIMIT)
        entries.append(
            Ratio(
                curve=curve,
                servers=servers,
                base_servers=fewest,
                runs=len(points[servers]),
                p99_ratio=None if found is None else round(found.value, 4),
                lower_bound=None if found is None else round(found.lower_bound, 4),
                upper_bound=None if found is None else round(found.upper_bound, 4),
                p_value=None if found is None else round(found.p_value, 6),
            )
        )
    return entries


def latency_stable(entries: Sequence[Ratio], sweep: SweepPlan) -> Answer:
    """Non-inferiority, not "no significant difference".

    PASS if growth beyond the margin is excluded at every count. Every bound must exclude it, so no bound needs a
    correction. FAIL if growth beyond the margin is shown at one count, after Holm's correction: of many counts one may
    be beyond the margin by chance.
    """
    bounds = [entry.upper_bound for entry in entries if entry.upper_bound is not None]
    points = [entry.p99_ratio for entry in entries if entry.p99_ratio is not None]
    p_values = [1.0 if entry.p_value is None else entry.p_value for entry in entries]
    beyond = [entry for entry, shown in zip(entries, holm(p_values), strict=True) if shown]
    few = len(sweep.server_counts) < growth.COUNTS_AT_LEAST
    planned = {(member.curve, member.servers) for member in sweep.members}
    compared = {(entry.curve, servers) for entry in entries for servers in (entry.servers, entry.base_servers)}
    if few or not entries or len(bounds) < len(entries) or compared != planned:
        status = Status.UNKNOWN
        reason = f"fewer than {growth.COUNTS_AT_LEAST} server counts" if few else "runs are missing or too short"
        summary = f"not decided whether latency is stable with more servers: {reason}"
    elif max(bounds) <= STABLE_RATIO_LIMIT:
        status = Status.PASS
        summary = f"P99 grows by less than {STABLE_RATIO_LIMIT - 1:.0%} compared with the fewest servers"
    elif beyond:
        status = Status.FAIL
        most = max(beyond, key=lambda entry: entry.lower_bound or 0.0)
        summary = (
            f"P99 at {most.servers} servers ({most.curve} curve) is {most.p99_ratio:.2f} times that at "
            f"{most.base_servers}"
        )
    else:
        status, summary = Status.UNKNOWN, "P99 may grow beyond the margin: the runs do not rule it out"
    return Answer(
        status=status,
        summary=summary,
        measured={"largest_ratio": max(points, default=None), "largest_upper_bound": max(bounds, default=None)},
        expected={"upper_bound_at_most": STABLE_RATIO_LIMIT},
        samples=sum(entry.runs for entry in entries),
        confidence=f"one-sided 95 %; for FAIL over {len(entries)} comparisons together (Holm)" if bounds else "",
    )


def efficiency(rows: Sequence[SweepRun]) -> list[Efficiency]:
    """Deliveries/s per server on the weak curve over the same at the fewest servers."""
    weak = [(one, one.deliveries_hz) for one in rows if one.curve is Curve.WEAK and one.deliveries_hz]
    if not weak:
        return []
    fewest = min(one.servers for one, _ in weak)
    base = [deliveries_hz / one.servers for one, deliveries_hz in weak if one.servers == fewest]
    mean = sum(base) / len(base)
    return [
        Efficiency(servers=one.servers, run=one.run, share=round(deliveries_hz / one.servers / mean, 4))
        for one, deliveries_hz in weak
    ]


def efficient(entries: Sequence[Efficiency], sweep: SweepPlan) -> Answer:
    least = min((entry.share for entry in entries), default=None)
    reached = {entry.servers for entry in entries}
    if least is None or len(reached) < growth.COUNTS_AT_LEAST or reached != set(sweep.server_counts):
        status, summary = Status.UNKNOWN, "weak scaling was measured at too few server counts"
    elif least >= EFFICIENCY_LIMIT:
        status = Status.PASS
        summary = (
            f"each server adds its load, and at every count {least:.0%} or more of it is delivered; below saturation "
            "this holds by construction"
        )
    else:
        status = Status.FAIL
        summary = f"a server delivers only {least:.0%} of what one delivers at the fewest servers: it saturates"
    return Answer(
        status=status,
        summary=summary,
        measured={"least_share": least},
        expected={"at_least": EFFICIENCY_LIMIT},
        samples=len(entries),
    )


def law(rows: Sequence[SweepRun]) -> ScalabilityLaw | None:
    """Gunther's law for what the servers could deliver if each had a core and only CPU were limited: N over the CPU of
    a message. It describes the measured cost; it is not a measured throughput."""
    x, cost = growth.points(rows, Curve.CONSTANT, "cpu_us_per_message")
    if len(set(x)) < growth.COUNTS_AT_LEAST:
        return None
    found = scalability_law(x, [servers / (us / 1e6) for servers, us in zip(x, cost, strict=True)])
    if found is None:
        return None
    return ScalabilityLaw(gamma_hz=round(found.gamma, 2), alpha=round(found.alpha, 6), beta=round(found.beta, 8))
