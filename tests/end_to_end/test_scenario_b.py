"""Whole runs of scenario B at smoke size: faults that the system survives, and bugs that fail the verdict."""

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from harness.history.history_file import read_history
from tests.end_to_end.watched_run import QUICK

pytestmark = pytest.mark.integration


def run(out: Path, *options: str) -> tuple[int, dict[str, Any]]:
    done = subprocess.run(
        [
            *(*QUICK, "run", "scenario-b", "--size", "smoke", "--force", "--json"),
            *("--out", str(out), *options),
            *("--junit", str(out / "ci" / "junit.xml"), "--openmetrics", str(out / "ci" / "metrics.txt")),
            *("--label", "night=1", "--label", "revision=abc"),
        ],
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def statuses(verdict: dict[str, Any]) -> dict[str, str]:
    return {found["check"]: found["status"] for found in verdict["findings"]}


def left_for_ci(out: Path, status: str) -> None:
    """The requested files hold this verdict, and the history has one line with it."""
    assert f'name="verdict" value="{status}"' in (out / "ci" / "junit.xml").read_text()
    assert f'verdict="{status}"}} 1' in (out / "ci" / "metrics.txt").read_text()
    (entry,) = read_history(out).entries
    assert (entry.verdict, entry.revision, entry.labels["night"]) == (status, "abc", "1")
    assert entry.measures["delivery_p99_ms"].value > 0


PERFORMANCE = {"ack-during-outage", "live_latency_ms.p99", "bystanders", "backfilled"}
"""Checks that a busy machine may fail. A test asserts no speed."""


@pytest.mark.parametrize(
    ("options", "asked"),
    [
        ((), {"resubscribed", "ack-during-outage", "backfilled"}),
        (("--fault", "pause"), {"resubscribed"}),
        (("--fault", "kill", "--recovery", "manual"), {"resubscribed", "filled-on-request"}),
        (("--target", "database", "--fault", "kill"), {"clean-refusal"}),
        (("--target", "server", "--fault", "kill"), {"reconnected", "resubscribed"}),
        (("--target", "clients", "--fault", "pause"), {"bystanders", "bounded-memory"}),
    ],
)
def test_a_fault_loses_nothing(tmp_path: Path, options: tuple[str, ...], asked: set[str]) -> None:
    """No acknowledged message is lost or visible twice. Every component recovers, by itself or on request."""
    code, verdict = run(tmp_path, *options)
    found = statuses(verdict)
    assert asked <= set(found)
    assert {check for check, status in found.items() if status == "fail"} <= PERFORMANCE, found
    for check in ("lost", "order", "duplicate-visible", "phantom", "acknowledged-not-stored", "ledger", "commit-order"):
        assert found[check] == "pass", (check, found)
    assert found["fault-injected"] == "pass"
    left_for_ci(tmp_path, verdict["status"])
    times = verdict["run"]["recovery"]["faults"][0]["times"]
    assert times["back_ns"] > times["begun_ns"]
    if not set(found.values()) - {"pass"}:
        assert code == 0
    folder = next(tmp_path.glob("scenario-b/*Z"))
    events = [json.loads(line) for line in (folder / "events.jsonl").read_text().splitlines()]
    (begun,) = (event for event in events if event["event"] == "fault")
    assert begun["what"] in (folder / "report.html").read_text()


def test_without_recovery_the_loss_is_found_and_its_hop_named(tmp_path: Path) -> None:
    """These servers never read again the messages that the broker lost. Deliveries are lost between COMMIT and
    publication."""
    code, verdict = run(tmp_path, "--recovery", "off")
    assert code == 1
    assert {check for check, status in statuses(verdict).items() if status == "fail"} >= {"lost", "lost-tail"}
    lost_at = {entry["hop"]: entry["deliveries"] for entry in verdict["run"]["lost_at"]}
    assert lost_at.get("committed → published", 0) > 0
    assert sum(lost_at.values()) == sum(phase["lost"] for phase in verdict["run"]["delivery"].values())


def test_publishing_before_commit_is_found(tmp_path: Path) -> None:
    """A message that reaches another server before COMMIT may never be stored. The verdict names such messages one by
    one."""
    code, verdict = run(tmp_path, "--server-module", "tests.end_to_end.premature_server")
    assert code == 1
    assert statuses(verdict)["commit-order"] == "fail"
    (found,) = (found for found in verdict["findings"] if found["check"] == "commit-order")
    assert "on another server before COMMIT" in found["examples"][0]
