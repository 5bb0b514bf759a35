"""A repetition is allowed only around a reconnection of its own client."""

from pathlib import Path

import pytest

from harness.model.finding import Status
from tests.harness.recordings import MS, START_NS, HandMade, finding, measured, red


def session(
    client: int, *, server: int = 0, subscribed_ms: float, ended_ms: float, position: int = 0
) -> tuple[int, ...]:
    subscribed_ns = START_NS + int(subscribed_ms * MS)
    code = 1000 if ended_ms > 1_000 else 1006
    return (client, server, code, subscribed_ns - MS, subscribed_ns, position, START_NS + int(ended_ms * MS))


@pytest.fixture
def run() -> HandMade:
    """Ten messages to clients 0 and 1. Message n is due at 10 n ms, has seq n + 1 and arrives 5 ms later. Client 0 lost
    its connection at 42 ms and subscribed again at 47 ms with position 2; client 1 stayed connected."""
    made = HandMade(clients=2)
    for _ in range(10):
        made.post(0)
    made.sessions = [
        session(0, subscribed_ms=-10, ended_ms=42),
        session(0, server=1, subscribed_ms=47, ended_ms=9_000, position=2),
        session(1, server=1, subscribed_ms=-10, ended_ms=9_000),
    ]
    return made


def test_what_a_client_gets_again_behind_its_new_position_is_counted(run: HandMade, tmp_path: Path) -> None:
    """The client had seqs 3 and 4, and its new subscription names position 2."""
    for message in (2, 3):
        run.deliver(message, 0, latency_ms=50 - 10 * message)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {}.keys()
    found = finding(verdict, "duplicate-wire")
    assert found.status is Status.PASS
    assert found.measured == {"repeated": 0, "allowed": 2}
    assert "2 repetitions after a reconnection of their client are allowed" in found.summary
    assert measured(verdict).delivery.measured.duplicates_wire == 2  # type: ignore[union-attr]  # it was measured


@pytest.mark.parametrize(
    ("message", "client", "latency_ms", "why"),
    [
        (2, 1, 30, "another client reconnected, not this one"),
        (2, 0, 15, "it came twice before the connection was lost"),
        (8, 0, 6, "it came twice after the connection was back"),
        (1, 0, 40, "the new subscription named a position that holds it"),
    ],
)
def test_no_other_repetition_is_allowed(
    run: HandMade, tmp_path: Path, message: int, client: int, latency_ms: float, why: str
) -> None:
    """One reconnection does not switch the check off for other clients, for other times, or for seqs up to the named
    position."""
    run.deliver(message, client, latency_ms=latency_ms)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"duplicate-wire"}, why
    assert f"client {client}: message {message}" in finding(verdict, "duplicate-wire").examples[0]


def test_a_repetition_is_allowed_once_on_each_connection(run: HandMade, tmp_path: Path) -> None:
    """A third copy is an error."""
    for latency_ms in (30, 31):
        run.deliver(2, 0, latency_ms=latency_ms)
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"duplicate-wire"}
    assert finding(verdict, "duplicate-wire").measured == {"repeated": 1, "allowed": 1}
