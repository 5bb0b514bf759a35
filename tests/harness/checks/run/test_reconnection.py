"""Clients that lose their connection because of a fault."""

from pathlib import Path

from harness.model.fault import FaultKind, Target
from harness.model.finding import Status
from harness.model.measurements.recovery import Reconnections
from tests.harness.checks.run.outages import broken, recovered, session
from tests.harness.recordings import MS, START_NS, finding, red


def test_a_client_that_does_not_come_back_is_red(tmp_path: Path) -> None:
    """The server of the client was killed. The client connected again, but never subscribed."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    run.sessions = [session(0, ended_ms=1000, subscribed_ms=-10), (1, 0)]
    run.sessions.append((0, 1, 1000, START_NS, 0, 0, START_NS + 5_000 * MS))
    verdict = run.verdict(tmp_path)
    assert "reconnected" in red(verdict)
    del run.sessions[-1]
    assert "reconnected" in red(run.verdict(tmp_path)), "it never even connected again"
    run.sessions.append(session(0, ended_ms=3_600_000, subscribed_ms=1_300, close_code=1000))
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    assert recovered(verdict).reconnected == Reconnections(clients=1, p50_s=0.3, p99_s=0.3, last_s=0.3)


def test_a_server_that_ended_without_cutting_a_connection_proves_no_resume(tmp_path: Path) -> None:
    """Clients can be shown to come back only if some of them were away."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    assert finding(run.verdict(tmp_path), "reconnected").status is Status.UNKNOWN


def test_a_client_that_the_server_sent_away_for_good_is_red(tmp_path: Path) -> None:
    """The server closed with the close code of the load worker. The time shows that the load worker did not close."""
    run = broken(Target.SERVER, FaultKind.KILL, "server-1")
    run.sessions = [session(0, ended_ms=1000, subscribed_ms=-10, close_code=1000), (1, 0)]
    run.events.append({"event": "drained", "at_ns": START_NS + 5_000 * MS, "complete": True})
    assert "reconnected" in red(run.verdict(tmp_path))
