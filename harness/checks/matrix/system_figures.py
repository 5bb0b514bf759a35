"""Cells → one row for each system, and the order of the systems. Percentiles are never averaged: of several repetitions
the median one is shown, with the range."""

from collections.abc import Callable, Iterable, Sequence
from itertools import pairwise
from statistics import median_low

from harness.checks.run.claims import SOURCE
from harness.model.backplane import BACKPLANES, WRITE_PATHS, LatencyClaim
from harness.model.component import COMPONENT_KINDS
from harness.model.finding import Status
from harness.model.matrix_plan import MatrixPlan, System
from harness.model.measurements.claims import Claim, Outcome
from harness.model.measurements.matrix_measurements import (
    CellFigures,
    Comparison,
    CostAt,
    Operations,
    Spread,
    SystemFigures,
)
from harness.model.measurements.percentiles import Percentiles

Timed = Callable[[CellFigures], Percentiles | None]


def spread(values: Iterable[tuple[float, float | None, float | None]]) -> Spread | None:
    """``values`` are (figure, low end, high end) of each cell; None if there is none."""
    found = list(values)
    if not found:
        return None
    figures = [value for value, _, _ in found]
    return Spread(
        value=median_low(figures),
        low=min(figure if low is None else min(low, figure) for figure, low, _ in found),
        high=max(figure if high is None else max(high, figure) for figure, _, high in found),
        cells=len(found),
        bounded=all(low is not None and high is not None for _, low, high in found),
    )


def latency_scenario(plan: MatrixPlan) -> str:
    """The scenario that latencies are compared in: the first without a fault that is one run for each system."""
    runs = [cell for cell in plan.running if cell.plan is not None]
    quiet = [cell.scenario for cell in runs if cell.plan is not None and not cell.plan.faults]
    return next((name for name in plan.scenarios if name in quiet), plan.scenarios[0])


def system_figures(plan: MatrixPlan, cells: Sequence[CellFigures], system: System) -> SystemFigures:
    """One row of the decision matrix."""
    mine = [cell for cell in cells if cell.system == system.name]
    scenario = latency_scenario(plan)
    timed = _widest([cell for cell in mine if cell.scenario == scenario])
    latency: Timed = lambda cell: cell.latency  # noqa: E731  # one of three that are passed on
    fan_out: Timed = lambda cell: cell.fan_out  # noqa: E731  # as above
    counted = [cell.delivery for cell in mine if cell.delivery is not None]
    acknowledged = _p99(timed, lambda cell: cell.acknowledgement)
    publication = (_at(timed, fan_out, "p50_ms"), _at(timed, fan_out, "p99_ms"))
    return SystemFigures(
        system=system.name,
        backplane=system.backplane,
        write_path=system.path_name,
        cells=len([cell for cell in mine if cell.run]),
        passed=len([cell for cell in mine if cell.status is Status.PASS]),
        p50_ms=_at(timed, latency, "p50_ms"),
        p95_ms=_at(timed, latency, "p95_ms"),
        p99_ms=_p99(timed, latency),
        ack_p99_ms=acknowledged,
        fan_out_p50_ms=publication[0],
        fan_out_p99_ms=publication[1],
        expected=sum(one.expected for one in counted),
        lost=sum(one.lost for one in counted),
        undelivered=sum(one.undelivered for one in counted),
        not_stored=sum(cell.not_stored or 0 for cell in mine),
        recovery_s=spread((cell.recovery_s, None, None) for cell in mine if cell.recovery_s is not None),
        cost=_cost(mine),
        operations=_operations(plan, system, mine),
        claims=(
            *_claims(BACKPLANES.get(system.backplane).claim, "published → received", "fan_out", *publication),
            *_claims(
                WRITE_PATHS.get(system.write_path).claim,
                "posted → acknowledged",
                "commit",
                _at(timed, lambda cell: cell.acknowledgement, "p50_ms"),
                acknowledged,
            ),
        ),
    )


def _widest(cells: Sequence[CellFigures]) -> list[CellFigures]:
    """Those with the most servers: latencies of different sizes are not combined."""
    most = max((cell.servers for cell in cells), default=0)
    return [cell for cell in cells if cell.servers == most]


def _at(cells: Sequence[CellFigures], timed: Timed, name: str) -> Spread | None:
    found = (getattr(percentiles, name) for cell in cells if (percentiles := timed(cell)) is not None)
    return spread((value, None, None) for value in found if value is not None)


def _p99(cells: Sequence[CellFigures], timed: Timed) -> Spread | None:
    found = [percentiles for cell in cells if (percentiles := timed(cell)) is not None]
    return spread((one.p99_ms, one.p99_low_ms, one.p99_high_ms) for one in found if one.p99_ms is not None)


def _cost(cells: Sequence[CellFigures]) -> tuple[CostAt, ...]:
    """By number of servers, of the scenario that has the most numbers of servers."""
    counts: dict[str, set[int]] = {}
    for cell in cells:
        if cell.cpu_us_per_delivery is not None:
            counts.setdefault(cell.scenario, set()).add(cell.servers)
    if not counts:
        return ()
    scenario = max(counts, key=lambda name: len(counts[name]))
    found = []
    for servers in sorted(counts[scenario]):
        mine = [cell for cell in cells if (cell.scenario, cell.servers) == (scenario, servers)]
        cost = spread((c.cpu_us_per_delivery, None, None) for c in mine if c.cpu_us_per_delivery is not None)
        if cost is not None:
            found.append(CostAt(servers=servers, cpu_us_per_delivery=cost))
    return tuple(found)


def _operations(plan: MatrixPlan, system: System, cells: Sequence[CellFigures]) -> Operations:
    backplane = BACKPLANES.get(system.backplane)
    kind = COMPONENT_KINDS.find(backplane.broker) if backplane.broker else None
    servers = max((cell.servers for cell in cells if cell.run), default=0)
    starts = [cell.start_s for cell in cells if cell.start_s is not None]
    return Operations(
        processes=1 if kind else 0,
        ports=(kind.ports if kind else 0) + backplane.ports_per_server * servers,
        settings=kind.settings if kind else (),
        links=backplane.links.at(servers),
        servers=servers,
        memory_bytes=max((cell.broker_rss_bytes for cell in cells if cell.broker_rss_bytes), default=None),
        start_s=median_low(starts) if starts else None,
        adapter_lines=plan.adapter_lines.get(system.backplane),
    )


def _claims(
    claim: LatencyClaim | None, what: str, step: str, p50_ms: Spread | None, p99_ms: Spread | None
) -> tuple[Claim, ...]:
    if claim is None:
        return ()
    measured = None
    if p50_ms is not None:
        measured = {"p50_ms": p50_ms.value, "p99_ms": p99_ms.value if p99_ms else None}
    return (
        Claim(
            claim=f"{what}: {claim.words}",
            source=SOURCE,
            step=step,
            expected={"p50_ms_from": claim.low_ms, "p50_ms_to": claim.high_ms}
            if claim.low_ms
            else {"p99_ms_below": claim.high_ms},
            measured=measured,
            status=_outcome(claim, p50_ms, p99_ms),
        ),
    )


def _outcome(claim: LatencyClaim, p50_ms: Spread | None, p99_ms: Spread | None) -> Outcome:
    """The claims name no percentile. An upper limit is supported if even the P99 stays below it, and contradicted if
    even the median does not. A range is about the usual value: it is supported if the median of every repetition is in
    it, and contradicted if the median of none is."""
    if p50_ms is None:
        return Outcome.NOT_REACHED
    if claim.low_ms == 0:
        if p99_ms is not None and p99_ms.high < claim.high_ms:
            return Outcome.SUPPORTED
        return Outcome.CONTRADICTED if p50_ms.low >= claim.high_ms else Outcome.NOT_REACHED
    if claim.low_ms <= p50_ms.low and p50_ms.high <= claim.high_ms:
        return Outcome.SUPPORTED
    outside = p50_ms.high < claim.low_ms or p50_ms.low > claim.high_ms
    return Outcome.CONTRADICTED if outside else Outcome.NOT_REACHED


def is_separated(fast: Spread, slow: Spread) -> bool:
    """Whether the two ranges do not overlap. A single cell without an interval has no range."""
    known = all(one.bounded or one.cells > 1 for one in (fast, slow))
    return known and fast.high < slow.low


def order(systems: Sequence[SystemFigures]) -> tuple[Comparison, ...]:
    """Neighbours in the order of the P99, and whether their ranges separate them."""
    known = sorted(
        ((one.p99_ms, one.system) for one in systems if one.p99_ms is not None), key=lambda pair: pair[0].value
    )
    return tuple(
        Comparison(
            faster=name,
            slower=other,
            separated=is_separated(fast, slow),
        )
        for (fast, name), (slow, other) in pairwise(known)
    )
