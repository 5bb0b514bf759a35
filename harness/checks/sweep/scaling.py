"""The runs of a sweep → one verdict: does the architecture scale, and with what evidence?"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from harness.checks.judge import overall
from harness.checks.statistics.regression import Sample, ratio, scalability_law, spread_between_runs
from harness.checks.sweep import every_run, growth
from harness.checks.sweep.member import Ran, row
from harness.model.finding import Bias, Finding, Kind, Status, Verdict, worst
from harness.model.sweep_plan import Curve, SweepPlan

# Conventions, fixed before the first sweep was judged by them (docs/results.md says why each).
STABLE_RATIO_LIMIT = 1.25
EFFICIENCY_LIMIT = 0.9
SPARE_CORES = 2
"""PostgreSQL and Redis beside the servers and the load workers."""

Row = Mapping[str, Any]


def judge_sweep(sweep: SweepPlan, runs: Sequence[Ran], *, cores: int | None) -> Verdict:
    """Ask every question of the sweep. ``runs`` has one entry per member; ``cores`` are the machine's, None if unknown."""
    rows = [row(ran) for ran in runs]
    fits = [
        found
        for _, path, _ in growth.FIGURES.values()
        for curve in Curve
        if (found := growth.fit(rows, str(curve), path)) is not None
    ]
    ratios = [entry for curve in Curve for entry in _ratios(rows, str(curve))]
    efficiency = _efficiency(rows)
    findings = [
        every_run.delivery(runs),
        every_run.latency_limit(runs),
        _latency_stable(ratios, sweep),
        *(growth.finding(check, fits) for check in growth.FIGURES),
        _efficient(efficiency, sweep),
        every_run.completeness(runs),
        every_run.instrument(runs),
        _one_host(sweep, cores),
    ]
    findings = _with_bias(findings)
    measurements: dict[str, Any] = {
        "delivery": _totals(rows),
        "latency_ms": _worst_latency(rows),
        "sweep": {
            "server_counts": list(sweep.server_counts),
            "clients_per_server": sweep.clients_per_server,
            "weak_rate_per_server_hz": sweep.weak_rate_per_server_hz,
            "predicted_s": sweep.predicted_s,
            "runs": sorted(rows, key=lambda one: (one["curve"], one["servers"], one["repetition"])),
            "fits": fits,
            "ratios": ratios,
            "efficiency": efficiency,
            "scalability_law": _law(rows),
        },
    }
    measurements["claims"] = _claims(findings, ratios, fits)
    measurements["decisions"] = _decisions(findings)
    return Verdict(
        status=overall(findings), findings=tuple(findings), measurements=measurements, plan=sweep.widest, series={}
    )


def _with_bias(findings: Sequence[Finding]) -> list[Finding]:
    """What a crooked ruler means here. Bent towards BETTER it decides nothing about performance, as in a single run. Bent
    towards WORSE it leaves no failure of latency or efficiency standing; what a message costs in CPU and bytes is not made
    larger by a late sender or a shared core, so those failures stand."""
    better = [finding.check for finding in findings if finding.bias is Bias.OPTIMISTIC]
    worse = [finding.check for finding in findings if finding.bias is Bias.PESSIMISTIC]

    def straight(finding: Finding) -> Finding:
        if finding.kind is not Kind.PERFORMANCE or finding.status is Status.UNKNOWN:
            return finding
        doubts = list(better)
        if finding.status is Status.FAIL and finding.check not in growth.FIGURES:
            doubts += worse
        if not doubts:
            return finding
        summary = f"{finding.summary}; not decided, because of {', '.join(doubts)}"
        return replace(finding, status=Status.UNKNOWN, summary=summary)

    return [straight(finding) for finding in findings]


def _one_host(sweep: SweepPlan, cores: int | None) -> Finding:
    """Servers, load and stores that take turns on the same cores slow each other down the more of them there are."""
    needed = sweep.widest.servers + sweep.widest.workers + SPARE_CORES
    enough = cores is not None and cores >= needed
    summary = (
        f"{cores} cores for {needed} processes at the largest count: every server can have its own"
        if enough
        else f"{cores or 'an unknown number of'} cores for {needed} processes at the largest count: this shows what a "
        "delivery costs and that it arrives, not parallel speed-up; latency grows with the machine's load, whatever the "
        "architecture does"
    )
    return Finding(
        check="one-host",
        kind=Kind.VALIDITY,
        status=Status.PASS if enough else Status.UNKNOWN,
        summary=summary,
        measured={"cores": cores},
        expected={"cores_at_least": needed},
        samples=1,
        bias=None if enough else Bias.PESSIMISTIC,
    )


# All runs together.


def _samples(rows: Sequence[Row], curve: str) -> dict[int, list[Sample]]:
    """P99 of every run of a curve, by server count."""
    found: dict[int, list[Sample]] = {}
    for one in rows:
        latency = one.get("latency_ms", {})
        if one["curve"] == curve and latency.get("p99"):
            sample = Sample(value=latency["p99"], low=latency.get("p99_low"), high=latency.get("p99_high"))
            found.setdefault(one["servers"], []).append(sample)
    return dict(sorted(found.items()))


def _ratios(rows: Sequence[Row], curve: str) -> list[dict[str, Any]]:
    """`measurements.sweep.ratios`: P99 at each count over P99 at the fewest servers, with its upper bound."""
    points = _samples(rows, curve)
    if len(points) < 2:
        return []
    fewest, *others = points
    spread = spread_between_runs(list(points.values()))
    entries = []
    for servers in others:
        found = ratio(points[fewest], points[servers], spread)
        entry: dict[str, Any] = {
            "curve": curve,
            "servers": servers,
            "base_servers": fewest,
            "runs": len(points[servers]),
        }
        if found is not None:
            entry |= {
                "p99_ratio": round(found.value, 4),
                "lower_bound": round(found.lower_bound, 4),
                "upper_bound": round(found.upper_bound, 4),
            }
        entries.append(entry)
    return entries


def _latency_stable(ratios: Sequence[Row], sweep: SweepPlan) -> Finding:
    """Not "no significant difference" but non-inferiority: growth beyond the margin is excluded, at every count."""
    bounds = [entry["upper_bound"] for entry in ratios if "upper_bound" in entry]
    points = [entry["p99_ratio"] for entry in ratios if "p99_ratio" in entry]
    if len(sweep.server_counts) < growth.COUNTS_AT_LEAST or not ratios or len(bounds) < len(ratios):
        status, few = Status.UNKNOWN, len(sweep.server_counts) < growth.COUNTS_AT_LEAST
        reason = f"fewer than {growth.COUNTS_AT_LEAST} server counts" if few else "runs are missing or too short"
        summary = f"whether latency stays as it is with more servers is not decided: {reason}"
    elif max(bounds) <= STABLE_RATIO_LIMIT:
        status, summary = Status.PASS, f"P99 grows by less than {STABLE_RATIO_LIMIT - 1:.0%} from the fewest servers on"
    elif max(entry["lower_bound"] for entry in ratios) > STABLE_RATIO_LIMIT:
        status = Status.FAIL
        worst_one = max(ratios, key=lambda entry: float(entry["lower_bound"]))
        summary = (
            f"P99 at {worst_one['servers']} servers ({worst_one['curve']} curve) is {worst_one['p99_ratio']:.2f} times "
            f"that at {worst_one['base_servers']}"
        )
    else:
        status, summary = Status.UNKNOWN, "P99 may grow beyond the margin: the runs do not exclude it"
    return Finding(
        check="latency-stable",
        kind=Kind.PERFORMANCE,
        status=status,
        summary=summary,
        measured={"largest_ratio": max(points, default=None), "largest_upper_bound": max(bounds, default=None)},
        expected={"upper_bound_at_most": STABLE_RATIO_LIMIT},
        samples=sum(entry["runs"] for entry in ratios),
        confidence="one-sided 95 %" if bounds else "",
    )


def _efficiency(rows: Sequence[Row]) -> list[dict[str, Any]]:
    """`measurements.sweep.efficiency`: deliveries/s per server on the weak curve over the same at the fewest servers."""
    weak = [one for one in rows if one["curve"] == str(Curve.WEAK) and one.get("deliveries_hz")]
    if not weak:
        return []
    fewest = min(one["servers"] for one in weak)
    base = [one["deliveries_hz"] / one["servers"] for one in weak if one["servers"] == fewest]
    mean = sum(base) / len(base)
    return [
        {"servers": one["servers"], "run": one["run"], "share": round(one["deliveries_hz"] / one["servers"] / mean, 4)}
        for one in weak
    ]


def _efficient(efficiency: Sequence[Row], sweep: SweepPlan) -> Finding:
    least = min((entry["share"] for entry in efficiency), default=None)
    reached = {entry["servers"] for entry in efficiency}
    if least is None or len(reached) < growth.COUNTS_AT_LEAST or reached != set(sweep.server_counts):
        status, summary = Status.UNKNOWN, "weak scaling was measured at too few server counts"
    else:
        status = Status.PASS if least >= EFFICIENCY_LIMIT else Status.FAIL
        summary = (
            f"with every server its load comes, and {least:.0%} or more of it is delivered at every count; below "
            "saturation this is so by construction"
        )
        if status is Status.FAIL:
            summary = f"only {least:.0%} of the deliveries per server that the fewest servers make: it saturates"
    return Finding(
        check="weak-efficiency",
        kind=Kind.PERFORMANCE,
        status=status,
        summary=summary,
        measured={"least_share": least},
        expected={"at_least": EFFICIENCY_LIMIT},
        samples=len(efficiency),
    )


def _law(rows: Sequence[Row]) -> dict[str, float] | None:
    """Gunther's law for what the servers could deliver if each had a core and CPU were all that limits: N over the CPU
    of a message. A description of the measured cost, not a throughput that was seen."""
    x, cost = growth.points(rows, str(Curve.CONSTANT), "cpu_us_per_message")
    if len(set(x)) < growth.COUNTS_AT_LEAST:
        return None
    found = scalability_law(x, [servers / (us / 1e6) for servers, us in zip(x, cost, strict=True)])
    if found is None:
        return None
    return {"gamma_hz": round(found.gamma, 2), "alpha": round(found.alpha, 6), "beta": round(found.beta, 8)}


def _totals(rows: Sequence[Row]) -> dict[str, int]:
    """The ledger over all runs and phases."""
    phases = [phase for one in rows for phase in one.get("delivery", {}).values()]
    return {key: sum(phase[key] for phase in phases) for key in (phases[0] if phases else {})}


def _worst_latency(rows: Sequence[Row]) -> dict[str, Any]:
    """The run with the highest P99: percentiles are never averaged."""
    found = [one["latency_ms"] for one in rows if one.get("latency_ms", {}).get("p99") is not None]
    return dict(max(found, key=lambda latency: latency["p99"])) if found else {}


_WORDS = {Status.PASS: "supported", Status.FAIL: "contradicted", Status.UNKNOWN: "not reached"}


def _claims(findings: Sequence[Finding], ratios: Sequence[Row], fits: Sequence[Row]) -> list[dict[str, Any]]:
    by_check = {finding.check: finding for finding in findings}
    return [
        {
            "claim": claim,
            "source": "the architecture's own figures",
            "expected": by_check[check].expected,
            "measured": by_check[check].measured,
            "status": _WORDS[by_check[check].status],
        }
        for claim, check in (
            ("latency flat from 2 to 16 servers", "latency-stable"),
            ("Redis CPU linear in the number of servers", "broker-cpu-growth"),
            ("Redis bandwidth linear in the number of servers", "broker-bandwidth-growth"),
            ("no O(N²)", "cpu-growth"),
        )
    ]


def _decisions(findings: Sequence[Finding]) -> list[dict[str, str]]:
    checks = ("delivery-at-every-count", "broker-cpu-growth", "broker-bandwidth-growth", "cpu-growth")
    found = {finding.check: finding.status for finding in findings if finding.check in checks}
    return [
        {
            "adr": "ADR-0002",
            "title": "Redis Pub/Sub between servers",
            "status": _WORDS[worst(found.values())],
            "evidence": ", ".join(f"{check} {status}" for check, status in found.items()),
        }
    ]
