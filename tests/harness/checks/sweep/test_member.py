"""The row of figures of a run, from a recording of a few rows."""

import dataclasses
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.checks.sweep.member import Ran, _spent, row
from harness.model.finding import Status
from harness.model.sweep_plan import Curve, Member
from harness.recording.format import QUERY
from tests.harness.recordings import START_NS, HandMade, measured

SECOND_NS = 1_000_000_000


def a_run(folder: Path, **telemetry: Any) -> Ran:
    """Twenty messages in twenty seconds. In each second the servers use 0.2 s of CPU, the database 0.05 s and the
    broker 0.01 s."""
    made = HandMade(changes={"rate_hz": 1.0, "duration_s": 20.0})
    for _ in range(20):
        made.post(0)
    recording = made.recording(folder)
    samples = tuple(
        {
            "at_ns": START_NS + second * SECOND_NS,
            "machine": {"busy_s": 0.0, "steal_s": 0.0, "memory_used_bytes": 1, "memory_available_bytes": 1},
            "processes": {
                "server-1": {"cpu_s": 0.1 * second, "rss_bytes": 1.0},
                "server-2": {"cpu_s": 0.1 * second, "rss_bytes": 1.0},
                "database": {"cpu_s": 0.05 * second, "rss_bytes": 1.0},
                "broker": {"cpu_s": 0.01 * second, "rss_bytes": 1.0},
                "worker-00": {"cpu_s": 9.0 * second, "rss_bytes": 1.0},
            },
            "broker": {"cpu_s": 0.01 * second, "net_out_bytes": 500 * second, "subscriptions": 4},
        }
        | telemetry
        for second in range(21)
    )
    verdict = made.verdict(folder)
    rates = dataclasses.replace(measured(verdict).rates, messages_hz=2.0, deliveries_hz=8.0)
    verdict = dataclasses.replace(verdict, run=dataclasses.replace(measured(verdict), rates=rates))
    queries = np.array(
        [(START_NS - 1, 0, 9_000_000), (START_NS + 1, 0, 1_000), (START_NS + 2, 0, 3_000), (START_NS + 3, 1, 500)],
        QUERY,
    )
    return Ran(
        member=Member(order=1, curve=Curve.WEAK, repetition=1, plan=made.plan, predicted_s=20.0),
        verdict=verdict,
        recording=dataclasses.replace(recording, telemetry=samples),
        statements=("SELECT a", "SELECT b"),
        queries=queries,
    )


def test_the_cost_is_that_of_the_system_under_test_alone(tmp_path: Path) -> None:
    """Servers, database and broker use 0.26 cores for 2 messages/s. The CPU of the load generator is not included."""
    found = row(a_run(tmp_path))
    assert found.system_cores == pytest.approx(0.26)
    assert found.server_cores == pytest.approx(0.2)
    assert found.cpu_us_per_message == pytest.approx(130_000)
    assert found.cpu_us_per_delivery == pytest.approx(32_500)
    assert found.cpu_us_per_message_low is not None
    assert found.cpu_us_per_message_high is not None
    assert found.cpu_us_per_message_low <= 130_000 <= found.cpu_us_per_message_high


def test_the_broker_is_measured_per_second_and_per_message(tmp_path: Path) -> None:
    """The rates are those of the measured window, also divided by its messages."""
    found = row(a_run(tmp_path))
    assert found.broker is not None
    assert found.broker.kind == "redis"
    assert found.broker.net_out_bytes_hz == pytest.approx(500)
    assert found.broker_net_out_bytes_per_message == pytest.approx(250)
    assert found.broker_cpu_us_per_message == pytest.approx(5_000)
    assert found.broker.subscriptions == 4


def test_statements_are_those_of_the_measured_window(tmp_path: Path) -> None:
    """Statements are grouped by text, the most frequent one first. Statements before the window do not count."""
    database = row(a_run(tmp_path)).database
    assert database is not None
    assert [entry.statement for entry in database.statements] == ["SELECT a", "SELECT b"]
    assert database.statements[0].duration.count == 2
    assert database.statements[0].duration.max_ms == 3.0


def test_without_processes_there_is_no_cost(tmp_path: Path) -> None:
    """Without any process there is neither a cost nor an error."""
    found = row(a_run(tmp_path, processes={}))
    assert found.cpu_us_per_message is None


def test_a_run_that_left_nothing_is_a_row_that_says_so(tmp_path: Path) -> None:
    """The place of the run in the sweep is known, its figures are not."""
    ran = dataclasses.replace(a_run(tmp_path), verdict=None, recording=None)
    found = row(ran)
    assert (found.status, found.servers) == (Status.UNKNOWN, 2)
    assert found.latency is None


def test_a_process_that_ended_between_two_samples_leaves_no_difference(tmp_path: Path) -> None:
    """The CPU of the process is missing from the later sample, so this pair of samples gives no cost."""
    before = {"at_ns": 0, "processes": {"server-1": {"cpu_s": 5.0}, "server-2": {"cpu_s": 7.0}}}
    after = {"at_ns": SECOND_NS, "processes": {"server-1": {"cpu_s": 5.5}}}
    assert _spent(before, after) is None
    assert _spent(after, before) is None
    assert _spent(after, {**after, "at_ns": 2 * SECOND_NS, "processes": {"server-1": {"cpu_s": 6.0}}}) == 0.5
