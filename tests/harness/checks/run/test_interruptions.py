"""Interruptions that were not planned are reported."""

from pathlib import Path
from typing import Any

import pytest

from harness.model.finding import Bias, Status
from harness.recording import format as layout
from tests.harness.checks.run.test_resilience import broken, lasting
from tests.harness.recordings import MS, START_NS, HandMade, finding, measured


def session(
    client: int, server: int, code: int, begun_ms: float, ended_ms: float, position: int = 0
) -> tuple[int, ...]:
    begun_ns = START_NS + int(begun_ms * MS)
    return (client, server, code, begun_ns - MS, begun_ns, position, START_NS + int(ended_ms * MS))


def with_losses(clients: int, lost: int) -> HandMade:
    """Four seconds of messages to one channel. The first ``lost`` clients lose their connection at 1.2 s, reconnect 300
    ms later and receive the messages that they missed."""
    run = HandMade(clients=clients, audience=clients)
    for message in range(400):
        away = 115 <= message < 150
        run.post(0, to=list(range(lost if away else 0, clients)))
        for client in range(lost if away else 0):
            run.deliver(message, client, latency_ms=1_505 - 10 * message)
    run.deliveries.sort(key=lambda row: row[2])
    run.sessions = [(client, 0) for client in range(lost, clients)]
    for client in range(lost):
        code = 1006 if client % 2 else 1001
        run.sessions += [
            session(client, client % 2, code, -10, 1_200),
            session(client, client % 2, 1000, 1_500, 900_000, position=115),
        ]
    return run


def test_connections_that_are_lost_unasked_are_told_with_their_codes(tmp_path: Path) -> None:
    """Half of the clients lost their connection and reconnected. There is no PASS, the losses are counted, and their
    deliveries are reported separately."""
    verdict = with_losses(8, 4).verdict(tmp_path)
    found = finding(verdict, "interruptions")
    assert (found.status, found.bias) == (Status.UNKNOWN, Bias.OPTIMISTIC)
    assert "4 connections of 4 clients were lost (close codes: 2 × 1001, 2 × 1006)" in found.summary
    assert "client 0 lost server-1 at 1.20 s, close code 1001" in found.examples
    assert verdict.status is Status.UNKNOWN
    figures = measured(verdict)
    assert figures.recovery is None
    assert figures.live_latency is not None
    assert figures.recovered_latency is not None
    assert figures.live_latency.max_ms == 5
    assert figures.recovered_latency.max_ms == pytest.approx(355)
    assert figures.live_latency.count + figures.recovered_latency.count == figures.latency.count == 3200


def test_one_lost_connection_of_many_is_told_and_passes(tmp_path: Path) -> None:
    """Losses at fewer than one client in a hundred do not decide a P99."""
    found = finding(with_losses(101, 1).verdict(tmp_path), "interruptions")
    assert found.status is Status.PASS
    assert "1 connections of 1 clients were lost (close codes: 1 × 1001)" in found.summary


def test_a_client_that_never_came_back_is_told(tmp_path: Path) -> None:
    """The client has no later connection."""
    run = with_losses(4, 0)
    run.sessions = [(client, 0) for client in range(3)] + [session(3, 1, 4008, -10, 1_200)]
    found = finding(run.verdict(tmp_path), "interruptions")
    assert found.status is Status.UNKNOWN
    assert "1 × 4008" in found.summary


@pytest.mark.parametrize(("back_ms", "seconds"), [(2_700.0, "2.7"), (None, "4.0")])
def test_a_backplane_that_is_lost_unasked_is_told(tmp_path: Path, back_ms: float | None, seconds: str) -> None:
    """The finding names the server and the duration; without a return the duration counts to the end of the measured
    window. Messages that the server read from the database are recovered, all others are live."""
    run = HandMade()
    for message in range(400):
        lost = message < 270
        number = run.post(0, latency_ms=55 if lost else 5)
        if lost:
            run.recovered.add(number)
    run.backplane = {
        0: [(layout.UP, -5.0), (layout.SUBSCRIBED, -4.0)],
        1: [
            (layout.SUBSCRIBED, -4.0),
            (layout.DOWN, 0.0),
            *([] if back_ms is None else [(layout.SUBSCRIBED, back_ms)]),
        ],
    }
    verdict = run.verdict(tmp_path)
    found = finding(verdict, "interruptions")
    assert (found.status, found.bias) == (Status.UNKNOWN, Bias.OPTIMISTIC)
    assert f"server-2 had no backplane for {seconds} s" in found.summary
    assert "server-1" not in found.summary
    recovered = measured(verdict).recovered_latency
    assert recovered is not None
    assert (recovered.count, recovered.p50_ms) == (540, 55)


def test_what_a_planned_fault_explains_is_no_interruption(tmp_path: Path) -> None:
    """The broker was stopped as planned. A connection that is lost outside of the planned outage is an interruption."""
    assert finding(broken().verdict(tmp_path), "interruptions").status is Status.PASS
    run = lasting(3)
    run.sessions = [(0, 0), session(1, 1, 1006, -10, 5_000), session(1, 0, 1000, 5_100, 900_000)]
    assert finding(run.verdict(tmp_path), "interruptions").status is Status.PASS
    run.sessions = [(0, 0), session(1, 1, 1006, -10, 2_000), session(1, 0, 1000, 2_100, 900_000)]
    found = finding(run.verdict(tmp_path), "interruptions")
    assert found.status is Status.UNKNOWN
    assert "outside of the planned outages: 1 connections" in found.summary


@pytest.mark.parametrize(("gap_ms", "status"), [(2_000.0, Status.UNKNOWN), (20.0, Status.PASS)])
def test_how_long_a_backplane_was_away_needs_one_clock(tmp_path: Path, gap_ms: float, status: Status) -> None:
    """The clock of server-2 cannot be compared with any other. The duration of the loss is known from this clock
    alone."""
    run = HandMade(clock_offsets_ns={1: 500_000 * MS})
    for _ in range(400):
        run.post(0)
    lost = [(layout.SUBSCRIBED, -4.0), (layout.DOWN, 500.0), (layout.SUBSCRIBED, 500.0 + gap_ms)]
    run.backplane = {0: [(layout.SUBSCRIBED, -4.0)], 1: lost}
    found = finding(run.verdict(tmp_path), "interruptions")
    assert found.status is status
    assert f"server-2 had no backplane for {gap_ms / 1_000:.1f} s" in found.summary
    assert "the clock of server-2 cannot be compared" in found.summary
    run.backplane[1] = lost[:2]
    assert "server-2 had no backplane for 4.0 s" in finding(run.verdict(tmp_path), "interruptions").summary


@pytest.mark.parametrize(
    ("changes", "status"),
    [({}, Status.UNKNOWN), ({"backplane": "memory"}, Status.PASS), ({"environment": "external"}, Status.PASS)],
)
def test_without_a_trace_of_the_backplane_nothing_is_known_of_it(
    tmp_path: Path, changes: dict[str, Any], status: Status
) -> None:
    """A trace is expected if there is a backplane to lose and the harness started the servers. Otherwise its absence
    does not matter."""
    run = HandMade(changes=changes, backplane={0: [(layout.SUBSCRIBED, -4.0)]})
    run.post(0)
    found = finding(run.verdict(tmp_path), "interruptions")
    assert found.status is status
    assert ("backplane-01.npy: missing" in found.summary) == (status is Status.UNKNOWN)
