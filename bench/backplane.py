"""How many messages a second each backplane of the reference server accepts, and brings to 4 subscribers, with its real
broker. One publisher and 4 subscribers, each in a separate process with the server's own code, one channel, 150 bytes
per frame. The publisher hands over batches as long as the backplane accepts them, and waits while it refuses. A
backplane may lose messages, so the arrived messages are a second figure. Both figures are of broker, clients and
machine together.
"""

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import uvloop

from bench.table import machine, show
from harness.components import adapter_of
from harness.environments.embedded.start import Start
from harness.environments.guard import Guard
from harness.model.cluster import Endpoint, Topology
from harness.model.component import COMPONENT_KINDS
from harness.model.registry import load
from reference_server.backplane.base import Backplane, BackplaneContext, Outgoing
from reference_server.backplane.registry import BACKPLANES
from reference_server.metrics import Metrics

SUBSCRIBERS = 4
SECONDS = 4.0
SETTLE_S = 1.0
BATCH = 100
ROUNDS = 3
FRAME = b"x" * 150
START_LIMIT_S = 30.0


class Counter:
    """A receiver that only counts."""

    def __init__(self) -> None:
        self.received = 0
        self.subscribed = False

    def on_message(self, channel: str, seq: int, frame: bytes) -> None:
        self.received += 1

    def on_newer(self, channel: str, seq: int) -> None:
        pass

    def on_subscribed(self, channels: Collection[str]) -> None:
        self.subscribed = True

    def on_state(self, up: bool) -> None:
        pass


def build(name: str, address: dict[str, Any]) -> Backplane:
    kind = BACKPLANES.find(name)
    assert kind.section is not None
    context: Any = BackplaneContext(settings=None, log=None, metrics=Metrics())  # type: ignore[arg-type]
    return kind.build(kind.section(**address), context)


async def until_up(backplane: Backplane, counter: Counter) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while not (backplane.up and counter.subscribed):
            await asyncio.sleep(0.01)


async def subscribe(name: str, address: dict[str, Any]) -> None:
    """The child: says "ready", and at the end of its input how many messages arrived."""
    counter, backplane = Counter(), build(name, address)
    backplane.subscribe(["bench"])
    running = asyncio.create_task(backplane.run(counter))
    await until_up(backplane, counter)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    print(counter.received, flush=True)
    running.cancel()
    await asyncio.wait((running,))


async def publish(name: str, address: dict[str, Any]) -> tuple[int, float]:
    """(messages taken, seconds)."""
    counter, backplane = Counter(), build(name, address)
    backplane.subscribe(["elsewhere"])
    running = asyncio.create_task(backplane.run(counter))
    await until_up(backplane, counter)
    seq, began_s = 0, time.monotonic()
    while time.monotonic() - began_s < SECONDS:
        if backplane.publish([Outgoing("bench", seq + number, FRAME) for number in range(BATCH)]):
            seq += BATCH
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(0.001)
    spent_s = time.monotonic() - began_s
    await asyncio.sleep(SETTLE_S)
    running.cancel()
    await asyncio.wait((running,))
    return seq, spent_s


@asynccontextmanager
async def broker(kind: str) -> AsyncIterator[Endpoint]:
    with tempfile.TemporaryDirectory() as folder, Guard() as guard:
        start = Start(
            topology=Topology(servers=1, backplane="memory", write_path="db-first", run_id="bench"),
            name="broker",
            folder=Path(folder),
            log=Path(folder) / "broker.log",
            guard=guard,
            password="bench",
        )
        part = await load(COMPONENT_KINDS.get(kind).starters["embedded"])(start)
        try:
            yield part.endpoint
        finally:
            await part.process.end()


async def measure(name: str) -> tuple[float, float, str]:
    """Messages a second that were taken, those that arrived at each subscriber on the average, the broker's version."""
    kind = BACKPLANES.find(name).broker or ""
    async with broker(kind) as endpoint:
        address: dict[str, Any] = {"host": endpoint.host, "port": endpoint.port, "password": endpoint.password}
        address |= {"username": endpoint.user} if endpoint.user else {}
        children = [
            subprocess.Popen(
                [sys.executable, "-m", "bench.backplane", name],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={"HARNESS_BENCH_ADDRESS": json.dumps(address), "PYTHONPATH": ":".join(sys.path)},
                text=True,
            )
            for _ in range(SUBSCRIBERS)
        ]
        try:
            for child in children:
                assert child.stdout is not None
                assert (await asyncio.to_thread(child.stdout.readline)).strip() == "ready"
            taken, spent_s = await publish(name, address)
            counts = [int((await asyncio.to_thread(child.communicate))[0]) for child in children]
        finally:
            for child in children:
                child.kill()
                child.wait()
        settings = await adapter_of(kind).settings(endpoint)
    title = f"{settings.get('program', kind)} {settings.get('version', '')}".strip()
    # Messages that are still on their way at the end are counted until SETTLE_S later.
    return taken / spent_s, statistics.mean(counts) / (spent_s + SETTLE_S), title


def main() -> bool:
    print(machine())
    taken: dict[str, list[float]] = {}
    arrived: dict[str, list[float]] = {}
    for name in BACKPLANES.names:
        kind = BACKPLANES.find(name).broker
        entry = COMPONENT_KINDS.get(kind) if kind else None
        if entry is None:
            continue
        path = entry.problems.get("embedded")
        if path and (missing := load(path)()):
            print(f"left out: {' '.join(missing)}")
            continue
        taken[name], arrived[name] = [], []
    for _ in range(ROUNDS):
        for name in taken:
            found = uvloop.run(measure(name))
            taken[name].append(found[0])
            arrived[name].append(found[1])
            print(
                f"{name}: {found[2]}: {found[0]:,.0f} taken/s, {found[1]:,.0f} arrived/s at each subscriber", flush=True
            )
    title = f"backplane: 1 publisher, {SUBSCRIBERS} subscribers, {len(FRAME)} bytes, as fast as each takes it"
    show(f"{title}: taken", "messages/s", taken, base="redis", mark=("", 0))
    show(f"{title}: arrived at each subscriber", "messages/s", arrived, base="redis", mark=("", 0))
    return True


if __name__ == "__main__":
    import os

    uvloop.run(subscribe(sys.argv[1], json.loads(os.environ["HARNESS_BENCH_ADDRESS"])))
