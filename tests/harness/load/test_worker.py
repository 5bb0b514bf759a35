"""A load worker's commands and ends. test_fleet.py tests its deliveries with real servers."""

import asyncio
from pathlib import Path

import numpy as np
import pytest

from harness.load import worker as module
from harness.load.client import Client
from harness.load.engine.job import Action, Command, Job, Report
from harness.load.worker import Worker
from harness.load.worker_rows import WorkerRows
from harness.model.cluster import ServerAddress
from harness.planning.placement import client_workers
from tests.harness.plans import a_plan

PLAN = a_plan(clients=8, workers=2)
JOB = Job(
    name="worker-01",
    module="harness.load.worker",
    plan=PLAN,
    servers=(ServerAddress(name="server-1", host="127.0.0.1", port=1),),
    token="t",
    index=1,
)
MINE = [client for client, worker in enumerate(client_workers(PLAN).tolist()) if worker == 1]


@pytest.fixture
def reports(monkeypatch: pytest.MonkeyPatch) -> list[Report]:
    """The reports that the worker sends."""
    sent: list[Report] = []
    monkeypatch.setattr(module, "send_report", sent.append)
    return sent


def test_it_pauses_and_resumes_its_own_clients(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: list[Report]
) -> None:
    """A command may name clients of all workers."""
    done: list[tuple[str, int]] = []
    monkeypatch.setattr(Client, "pause_reading", lambda client: done.append(("pause", client.index)))
    monkeypatch.setattr(Client, "resume_reading", lambda client: done.append(("resume", client.index)))

    async def scenario() -> None:
        worker = Worker(JOB, tmp_path)
        worker.on_command(Command(do=Action.PAUSE_READING, clients=tuple(range(8))))
        worker.on_command(Command(do=Action.RESUME_READING, clients=(MINE[0],)))
        worker.report()
        worker.on_command(Command(do=Action.FINISH))

    asyncio.run(scenario())
    assert done == [*(("pause", client) for client in MINE), ("resume", MINE[0])]
    assert reports[0].phase == "finish"


def test_finishing_leaves_whole_files(tmp_path: Path, reports: list[Report]) -> None:
    """Every row file of this worker exists and is readable, even without a row."""

    async def scenario() -> None:
        worker = Worker(JOB, tmp_path)
        worker.start_heartbeat()
        worker.on_command(Command(do=Action.FINISH))
        assert worker.ended.is_set()

    asyncio.run(scenario())
    names = {"deliveries-01.npy", "frames-01.npy", "sessions-01.npy", "heartbeat-worker-01.npy"}
    assert {path.name for path in tmp_path.iterdir()} == {*names, "incidents-worker-01.json"}
    assert all(len(np.load(tmp_path / name)) == 0 for name in names)


def test_a_full_disk_ends_it_with_its_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reports: list[Report]
) -> None:
    """The last report says that the worker failed, and why."""

    def full(rows: WorkerRows) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(WorkerRows, "flush", full)
    monkeypatch.setattr(module, "FLUSH_S", 0.0)

    class SilentControl:
        def __init__(self, *_: object) -> None: ...
        def listen(self) -> None: ...

    monkeypatch.setattr(module, "Control", SilentControl)
    created: list[Worker] = []
    monkeypatch.setattr(module, "Worker", lambda *arguments: created.append(Worker(*arguments)) or created[0])

    async def scenario() -> None:
        async with asyncio.timeout(10):
            await module.run(JOB, tmp_path, b"")

    asyncio.run(scenario())
    monkeypatch.undo()
    assert (reports[-1].failed, reports[-1].trouble) == (True, "OSError: [Errno 28] No space left on device")
    assert created[0].ended.is_set()

    async def close() -> None:
        created[0].on_command(Command(do=Action.FINISH))

    asyncio.run(close())
