"""Slow consumers: clients that stop reading."""

from pathlib import Path
from typing import Any

import pytest

from harness.model.fault import FaultKind, Target
from harness.model.finding import Status
from tests.harness.checks.run.outages import broken, lasting, value
from tests.harness.recordings import MS, START_NS, HandMade, finding, red


def slowed(run: HandMade, first: int, end: int) -> None:
    """The client that reads received these messages 30 ms later."""
    run.deliveries = [
        (client, frame, at_ns + (30 * MS if client and first <= frame < end else 0))
        for client, frame, at_ns in run.deliveries
    ]


def test_bystanders_that_suffer_are_red(tmp_path: Path) -> None:
    """A client that does not read must not slow down the others."""
    run = lasting(7, Target.CLIENTS, FaultKind.PAUSE, "client-0")
    assert finding(run.verdict(tmp_path), "bystanders").status is Status.PASS
    slowed(run, 400, 1100)
    assert red(run.verdict(tmp_path)) == {"bystanders"}


def test_few_messages_to_many_bystanders_decide_nothing(tmp_path: Path) -> None:
    """Deliveries of one message are not independent, so messages are counted."""
    run = broken(Target.CLIENTS, FaultKind.PAUSE, "client-0")
    run.outage_ms = (1000.0, 2000.0)
    slowed(run, 100, 200)
    found = finding(run.verdict(tmp_path), "bystanders")
    assert found.status is Status.UNKNOWN
    assert "299" in found.summary


@pytest.mark.parametrize(("until", "status"), [(1100, Status.PASS), (600, Status.FAIL)])
def test_a_slow_machine_is_not_the_fault_of_a_slow_consumer(tmp_path: Path, until: int, status: Status) -> None:
    """The deliveries are slow long after the outage too, or only during the outage, which is the first six of eleven
    seconds."""
    run = lasting(6, Target.CLIENTS, FaultKind.PAUSE, "client-0")
    run.outage_ms = (0.0, 6_000.0)
    slowed(run, 0, until)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "bystanders").status is status
    assert value(verdict, "bystanders", "during_p99_ms") == 35


def grow(run: HandMade, rss: float) -> Any:
    """The recording of the run with servers whose memory grows to ``rss`` at the end."""
    import dataclasses
    from unittest import mock

    plain = HandMade.recording

    def grown(self: HandMade, folder: Path) -> Any:
        recording = plain(self, folder)
        first, last = recording.telemetry
        names = {"server-1": {"cpu_s": 0.0, "rss_bytes": rss}}
        last = {**last, "at_ns": START_NS + 1_500 * MS, "processes": {**last["processes"], **names}}
        first = {**first, "at_ns": START_NS}
        return dataclasses.replace(recording, telemetry=(first, last))

    return mock.patch.object(HandMade, "recording", grown)


def test_slow_consumers_that_cost_memory_without_bound_are_red(tmp_path: Path) -> None:
    """The data that wait for a client that does not read must be limited."""
    run = broken(Target.CLIENTS, FaultKind.PAUSE, "client-0")
    with grow(run, 60e6):
        assert finding(run.verdict(tmp_path), "bounded-memory").status is Status.PASS
    with grow(run, 80e6):
        assert "bounded-memory" in red(run.verdict(tmp_path))
