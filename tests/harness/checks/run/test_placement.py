"""The measured cluster is the planned one, by the real places of the clients."""

from pathlib import Path

import pytest

from harness.model.fault import FaultKind, Target
from harness.model.finding import Bias, Status
from tests.harness.checks.run.test_interruptions import session
from tests.harness.checks.run.test_resilience import broken
from tests.harness.recordings import HandMade, finding, measured


def elsewhere(first_ms: float | None = None) -> HandMade:
    """The clients of server-2 are on server-1, from the beginning or from ``first_ms``."""
    run = HandMade(clients=8, audience=8)
    for _ in range(300):
        run.post(0)
    for client in range(8):
        moved = client % 2 == 1 and first_ms is not None
        if moved:
            run.sessions.append(session(client, 1, 1006, -10, first_ms or 0.0))
        run.sessions.append(session(client, 0, 1000, (first_ms or 0.0) + 1 if moved else -10, 900_000))
    return run


def test_a_server_without_its_clients_is_found(tmp_path: Path) -> None:
    """One of two servers never completed a handshake. There is no PASS, and no latency for the server without
    clients."""
    verdict = elsewhere().verdict(tmp_path)
    found = finding(verdict, "placement")
    assert (found.status, found.bias) == (Status.UNKNOWN, Bias.OPTIMISTIC)
    assert "server-2 had 0 of 4 clients at the beginning of the measured window" in found.summary
    assert found.measured == {"server-1": 8, "server-2": 0}
    assert verdict.status is Status.UNKNOWN
    first, second = measured(verdict).servers
    assert (first.clients, first.planned_clients, first.p50_ms) == (8, 4, 5)
    assert (second.clients, second.planned_clients, second.p50_ms, second.p99_ms) == (0, 4, None, None)


def test_a_server_that_lost_its_clients_in_mid_run_is_found(tmp_path: Path) -> None:
    """All deliveries arrived, through the other server."""
    verdict = elsewhere(first_ms=1_000).verdict(tmp_path)
    found = finding(verdict, "placement")
    assert found.status is Status.UNKNOWN
    assert found.summary == "server-2 had 0 of 4 clients at the end of the measured window"


def test_posts_that_went_elsewhere_are_found(tmp_path: Path) -> None:
    """A server has its clients but takes no posts. The ledger names the server that took each post."""
    run = HandMade(clients=8, audience=8)
    for _ in range(300):
        run.post(0)
    assert finding(run.verdict(tmp_path), "placement").status is Status.PASS
    run.took = dict.fromkeys(range(0, 300, 2), 1)
    found = finding(run.verdict(tmp_path), "placement")
    assert found.status is Status.UNKNOWN
    assert found.summary == "server-1 took 0 of 150 posts that were planned for it"


@pytest.mark.parametrize("target", [Target.SERVER, Target.CLIENTS])
def test_where_a_fault_sends_clients_away_the_end_is_not_asked_about(tmp_path: Path, target: Target) -> None:
    """Only the beginning of the measured window is checked."""
    run = broken(target, FaultKind.KILL if target is Target.SERVER else FaultKind.PAUSE)
    run.sessions = [session(0, 0, 1006, -10, 1_000), session(0, 1, 1000, 1_300, 900_000), (1, 0)]
    assert finding(run.verdict(tmp_path), "placement").status is Status.PASS
    run.sessions = [session(0, 1, 1000, -10, 900_000), (1, 0)]
    assert finding(run.verdict(tmp_path), "placement").status is Status.UNKNOWN


@pytest.mark.parametrize(
    ("servers", "says"),
    [
        ({"server-1": "", "server-2": "Cannot connect"}, "server-2 did not answer after the load: Cannot connect"),
        ({"server-1": ""}, "1 of 2 servers answered after the load"),
    ],
)
def test_a_server_that_no_longer_answers_is_found(tmp_path: Path, servers: dict[str, str], says: str) -> None:
    """The clients of the server may not have noticed. A server that was not asked is not known to answer."""
    run = HandMade()
    run.post(0)
    assert finding(run.verdict(tmp_path), "servers-answer").status is Status.PASS
    run.events = [{"event": "answering", "at_ns": 4, "servers": servers}]
    found = finding(run.verdict(tmp_path), "servers-answer")
    assert (found.status, found.bias, found.summary) == (Status.UNKNOWN, Bias.OPTIMISTIC, says)


def test_what_a_backplane_brings_to_a_server_without_subscribers_is_counted(tmp_path: Path) -> None:
    """With `local`, server-2 has no client of channel 0: it received 10 messages and needed 4."""
    run = HandMade(clients=4, audience=2, changes={"placement": "local"})
    for number in range(10):
        run.post(number >= 6)
    run.sessions = [session(client, client // 2, 1000, -10, 900_000) for client in range(4)]
    assert all(server.received is None for server in measured(run.verdict(tmp_path)).servers)
    run.events.append({"event": "received", "servers": {"server-1": 6, "server-2": 10}})
    first, second = measured(run.verdict(tmp_path)).servers
    assert (first.received, first.needed, first.received_per_needed) == (6, 6, 1.0)
    assert (second.received, second.needed, second.received_per_needed) == (10, 4, 2.5)
