"""One row for each system of a matrix, calculated by hand from cells of a few figures."""

import dataclasses

import pytest

from harness.checks.matrix.system_figures import is_separated, latency_scenario, order, spread, system_figures
from harness.model.backplane import BACKPLANES, WRITE_PATHS, LatencyClaim
from harness.model.finding import Status
from harness.model.matrix_plan import MatrixPlan, System
from harness.model.measurements.claims import Outcome
from harness.model.measurements.delivery import DeliveryCounts
from harness.model.measurements.matrix_measurements import CellFigures, Operations, Spread, SystemFigures
from harness.model.measurements.percentiles import Percentiles
from tests.harness.planning.test_matrix_planner import asked, planned

REDIS = System(backplane="redis", write_path="db-first")


@pytest.fixture(scope="module")
def plan() -> MatrixPlan:
    return dataclasses.replace(planned(asked("redis", "memory")), adapter_lines={"redis": 120})


def a_cell(servers: int = 4, scenario: str = "scenario-a", **changes: object) -> CellFigures:
    values: dict[str, object] = {"run": "001", "system": "redis", "scenario": scenario, "repetition": 1}
    return CellFigures(**values | {"servers": servers} | changes)  # type: ignore[arg-type]  # its fields


def timed(p50_ms: float, p99_ms: float | None = None) -> Percentiles:
    return Percentiles(count=100, p50_ms=p50_ms, p99_ms=p99_ms)


def a_system(name: str, p99_ms: Spread | None) -> SystemFigures:
    operations = Operations(processes=0, ports=0)
    return SystemFigures(
        system=name, backplane=name, write_path="db-first", cells=1, passed=1, p99_ms=p99_ms, operations=operations
    )


def between(low: float, high: float, *, cells: int = 1, bounded: bool = True) -> Spread:
    return Spread(value=low, low=low, high=high, cells=cells, bounded=bounded)


def test_a_spread_of_nothing_is_none() -> None:
    """No cell was measured."""
    assert spread([]) is None


def test_a_spread_has_the_lower_median_and_the_ends_of_intervals_and_figures() -> None:
    """Of four figures the second smallest is shown. If an end of an interval is missing, the figure itself replaces
    it."""
    found = spread([(40.0, 30.0, None), (10.0, None, 12.0), (20.0, 18.0, 22.0), (30.0, 29.0, 31.0)])
    assert found == Spread(value=20.0, low=10.0, high=40.0, cells=4, bounded=False)


def test_a_figure_outside_its_own_interval_widens_the_spread() -> None:
    """The spread always includes the figure, even if the interval does not."""
    assert spread([(5.0, 6.0, 7.0)]) == Spread(value=5.0, low=5.0, high=7.0, cells=1, bounded=True)
    assert spread([(8.0, 6.0, 7.0)]) == Spread(value=8.0, low=6.0, high=8.0, cells=1, bounded=True)


def test_latencies_are_compared_in_the_first_scenario_without_a_fault() -> None:
    """Scenario B breaks the broker. If every scenario has a fault, the first one is used."""
    both = planned(asked("redis"), ("scenario-b", "scenario-a"))
    assert latency_scenario(both) == "scenario-a"
    assert latency_scenario(planned(asked("redis"), ("scenario-b",))) == "scenario-b"


def test_latencies_are_of_the_most_servers_and_counts_of_all_cells(plan: MatrixPlan) -> None:
    """The P50 at 4 servers, 7 ms, is shown; that at 2 servers, 3 ms, is not. Deliveries of all server counts and
    scenarios are summed."""
    cells = [
        a_cell(2, latency=timed(3, 4), delivery=DeliveryCounts(expected=10, delivered=10), not_stored=1),
        a_cell(4, latency=timed(7, 9), delivery=DeliveryCounts(expected=20, lost=2, undelivered=3), status=Status.PASS),
        a_cell(8, "scenario-c", latency=timed(99, 99), delivery=DeliveryCounts(expected=5), not_stored=4),
        a_cell(4, run="", because="cannot run here"),
        a_cell(4, system="memory", latency=timed(1, 1), delivery=DeliveryCounts(expected=1000)),
    ]
    row = system_figures(plan, cells, REDIS)
    assert row.p50_ms == Spread(value=7, low=7, high=7, cells=1)
    assert row.p99_ms == Spread(value=9, low=9, high=9, cells=1)
    assert (row.expected, row.lost, row.undelivered, row.not_stored) == (35, 2, 3, 5)
    assert (row.cells, row.passed) == (3, 1)


def test_a_system_without_a_cell_has_no_figure(plan: MatrixPlan) -> None:
    """No figure is made up: there is no latency, no cost and no recovery, and the claims are not reached."""
    row = system_figures(plan, [], REDIS)
    assert (row.p50_ms, row.p99_ms, row.recovery_s, row.cost, row.cells) == (None, None, None, (), 0)
    assert {claim.status for claim in row.claims} == {Outcome.NOT_REACHED}
    assert {claim.measured for claim in row.claims} == {None}


def test_cost_is_of_the_scenario_with_the_most_server_counts(plan: MatrixPlan) -> None:
    """Two repetitions at 2 servers make one figure. Scenario A has only one server count and is left out, and so is a
    cell without a cost."""
    cells = [
        a_cell(4, cpu_us_per_delivery=99.0),
        a_cell(8, "scenario-c", cpu_us_per_delivery=60.0),
        a_cell(2, "scenario-c", cpu_us_per_delivery=50.0),
        a_cell(2, "scenario-c", cpu_us_per_delivery=40.0, repetition=2),
        a_cell(16, "scenario-c"),
    ]
    found = system_figures(plan, cells, REDIS).cost
    assert [(at.servers, at.cpu_us_per_delivery.value, at.cpu_us_per_delivery.high) for at in found] == [
        (2, 40.0, 50.0),
        (8, 60.0, 60.0),
    ]


def test_recovery_is_over_all_scenarios_and_may_be_below_zero(plan: MatrixPlan) -> None:
    """A server may have read everything from the database before the broker was back."""
    row = system_figures(plan, [a_cell(recovery_s=-1.5), a_cell(2, "scenario-b", recovery_s=0.5), a_cell()], REDIS)
    assert row.recovery_s == Spread(value=-1.5, low=-1.5, high=0.5, cells=2)


def test_operations_count_the_broker_and_the_links_of_the_largest_run(plan: MatrixPlan) -> None:
    """Redis is one process with one port, and 8 servers have 8 links to it. Cells that were not run are not
    considered."""
    cells = [
        a_cell(2, start_s=3.0, broker_rss_bytes=5),
        a_cell(8, start_s=1.0, broker_rss_bytes=7),
        a_cell(16, run=""),
    ]
    found = system_figures(plan, cells, REDIS).operations
    assert (found.processes, found.ports, found.links, found.servers) == (1, 1, 8, 8)
    assert (found.memory_bytes, found.start_s, found.adapter_lines) == (7, 1.0, 120)
    assert len(found.settings) > 0


def test_a_backplane_without_a_broker_has_nothing_more_to_operate(plan: MatrixPlan) -> None:
    """There is no process, no port and no setting. Memory, start and code size are not known."""
    found = system_figures(plan, [], System(backplane="memory", write_path="db-first")).operations
    assert found == Operations(processes=0, ports=0, links=0, servers=0)


def test_servers_of_a_mesh_listen_and_are_linked_in_pairs(plan: MatrixPlan) -> None:
    """Five servers have 5 × 4 ÷ 2 links, and each server has its own ports."""
    mesh = System(backplane="mesh", write_path="db-first")
    found = system_figures(plan, [a_cell(5, system="mesh")], mesh).operations
    assert (found.processes, found.links) == (0, 10)
    assert found.ports == 5 * BACKPLANES.get("mesh").ports_per_server > 0


@pytest.mark.parametrize(
    ("p50", "p99", "outcome"),
    [
        (0.5, 0.99, Outcome.SUPPORTED),
        (0.5, 1.0, Outcome.NOT_REACHED),
        (0.5, None, Outcome.NOT_REACHED),
        (0.99, 5.0, Outcome.NOT_REACHED),
        (1.0, 5.0, Outcome.CONTRADICTED),
    ],
)
def test_an_upper_limit_is_decided_by_the_p99_below_it_or_the_median_at_it(
    plan: MatrixPlan, p50: float, p99: float | None, outcome: Outcome
) -> None:
    """The claim for Redis is less than 1 ms from publication to receipt."""
    row = system_figures(plan, [a_cell(fan_out=timed(p50, p99))], REDIS)
    claim = next(one for one in row.claims if one.step == "fan_out")
    assert claim.expected == {"p99_ms_below": 1}
    assert claim.measured == {"p50_ms": p50, "p99_ms": p99}
    assert claim.status is outcome


@pytest.mark.parametrize(
    ("medians", "outcome"),
    [
        ((50.0, 100.0), Outcome.SUPPORTED),
        ((49.9, 60.0), Outcome.NOT_REACHED),
        ((60.0, 100.1), Outcome.NOT_REACHED),
        ((20.0, 49.9), Outcome.CONTRADICTED),
        ((100.1, 200.0), Outcome.CONTRADICTED),
    ],
)
def test_a_range_is_decided_by_the_medians_of_all_repetitions(
    plan: MatrixPlan, medians: tuple[float, float], outcome: Outcome
) -> None:
    """The claim for polling is 50 to 100 ms, both ends included. The outcome depends on whether all, some or none of
    the medians are in this range."""
    assert BACKPLANES.get("postgres-poll").claim == LatencyClaim(words="+50–100 ms", low_ms=50, high_ms=100)
    cells = [a_cell(system="postgres-poll", fan_out=timed(median, 300.0)) for median in medians]
    row = system_figures(plan, cells, System(backplane="postgres-poll", write_path="db-first"))
    claim = next(one for one in row.claims if one.step == "fan_out")
    assert claim.expected == {"p50_ms_from": 50, "p50_ms_to": 100}
    assert claim.status is outcome


def test_the_claim_of_a_write_path_is_about_the_acknowledgement(plan: MatrixPlan) -> None:
    """The acknowledgement has its own figures, and the fan-out does not decide the claim. A backplane without a claim
    adds none."""
    decided = WRITE_PATHS.default.claim
    assert decided is not None
    middle = (decided.low_ms + decided.high_ms) / 2
    row = system_figures(plan, [a_cell(acknowledgement=timed(middle, middle), fan_out=timed(999, 999))], REDIS)
    assert [(claim.step, claim.status) for claim in row.claims] == [
        ("fan_out", Outcome.CONTRADICTED),
        ("commit", Outcome.SUPPORTED),
    ]
    assert BACKPLANES.get("memory").claim is None
    alone = system_figures(plan, [], System(backplane="memory", write_path="db-first"))
    assert [claim.step for claim in alone.claims] == ["commit"]


@pytest.mark.parametrize(
    ("fast", "slow", "apart"),
    [
        (between(1, 2), between(3, 4), True),
        (between(1, 2), between(2, 4), False),
        (between(3, 4), between(1, 2), False),
        (between(1, 2, bounded=False), between(3, 4), False),
        (between(1, 2), between(3, 4, bounded=False), False),
        (between(1, 2, bounded=False, cells=2), between(3, 4, bounded=False, cells=2), True),
    ],
)
def test_ranges_that_touch_or_are_not_known_separate_nothing(fast: Spread, slow: Spread, apart: bool) -> None:
    """A range is known if it has an interval with two ends, or at least two cells."""
    assert is_separated(fast, slow) is apart


def test_the_order_has_neighbours_only_and_leaves_out_what_was_not_measured() -> None:
    """Three measured systems make two pairs. A single measured system makes none."""
    systems = [a_system("c", between(5, 6)), a_system("none", None), a_system("a", between(1, 2))]
    found = order([*systems, a_system("b", between(2, 3))])
    assert [(pair.faster, pair.slower, pair.separated) for pair in found] == [("a", "b", False), ("b", "c", True)]
    assert order([a_system("a", between(1, 2)), a_system("none", None)]) == ()
