"""The smallest run against servers of the made-up client protocol, for every test that brings a made-up member."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.environments.ports import free_ports
from harness.experiment import Outcome, run_experiment
from harness.model.finding import Kind, Status
from harness.model.registry import EXTENSIONS_VARIABLE
from harness.model.watch import Progress
from tests.harness.plans import a_plan

TOKEN = "parrot-key"
ROOT = Path(__file__).parents[2]


def prepare(monkeypatch: pytest.MonkeyPatch) -> None:
    """The environment in which the processes of the load generator find the made-up members."""
    monkeypatch.chdir(ROOT)
    monkeypatch.setenv("HARNESS_TOKEN", TOKEN)
    monkeypatch.setenv(EXTENSIONS_VARIABLE, "tests.seams.extension")


class SilentWatch:
    """Shows nothing but keeps the notes."""

    def __init__(self) -> None:
        self.notes: list[str] = []

    def phase(self, name: str) -> None: ...
    def progress(self, progress: Progress) -> None: ...

    def note(self, text: str) -> None:
        self.notes.append(text)


@contextmanager
def parrot_servers(count: int) -> Iterator[tuple[str, ...]]:
    """The URLs of ``count`` servers of the protocol `parrot`."""
    ports = free_ports(count)
    command = [sys.executable, "-m", "tests.seams.parrot_server", TOKEN, *map(str, ports)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield tuple(f"http://127.0.0.1:{port}" for port in ports)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def smoke_run(out: Path, **parts: Any) -> Outcome:
    """8 clients, 20 messages/s for 1 s on 2 servers; ``parts`` are fields of the plan."""
    plan = a_plan(
        clients=8, audience=4, rate_hz=20.0, duration_s=1.0, environment="external", protocol="parrot", **parts
    )
    with parrot_servers(plan.servers) as urls:
        return run_experiment(replace(plan, server_urls=urls), out=out, watch=SilentWatch())


def assert_everything_was_delivered(outcome: Outcome) -> None:
    """The run was complete, and no safety check found anything: 22 messages to 4 clients each."""
    assert outcome.why == ""
    assert outcome.verdict is not None
    found = {finding.check: finding for finding in outcome.verdict.findings}
    assert found["lost"].status is Status.PASS, found["lost"]
    assert [each for each in found.values() if each.kind is Kind.SAFETY and each.status is Status.FAIL] == []
