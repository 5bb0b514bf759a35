"""How many messages a second each backplane of the reference server takes, and brings to 4 subscribers, by its real broker.

One publisher and 4 subscribers, each in a process of its own with the server's own code, one channel, frames as the server
makes them. The publisher hands over batches for as long as the backplane takes them, and waits where it says that it takes
no more. A hint may be lost, so what arrives is a figure of its own. The rates are those of broker, clients and machine
together; the CPU says which of them was busy.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import uvloop

from bench.table import machine, show
from harness.components import adapter_of
from harness.environments.embedded.child import Child
from harness.environments.embedded.start import Start
from harness.environments.guard import Guard
from harness.environments.part import Part
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS
from harness.model.registry import load
from reference_server.backplane.base import Backplane, BackplaneContext, Outgoing
from reference_server.backplane.registry import BACKPLANES
from reference_server.metrics import Metrics
from reference_server.protocol.server_events import message_frame

SUBSCRIBERS = 4
SECONDS = 4.0
QUIET_S = 0.5
DRAIN_LIMIT_S = 10.0
BATCH = 100
ROUNDS = 3
TEXT = "x" * 100
FRAME_BYTES = len(message_frame("bench", 1_000_000, TEXT))
START_LIMIT_S = 30.0


class Counter:
    """A receiver that only counts."""

    def __init__(self) -> None:
        self.received = 0
        self.last_s = time.monotonic()
        self.subscribed = False

    def on_message(self, channel: str, seq: int, frame: bytes) -> None:
        self.received += 1
        self.last_s = time.monotonic()

    def on_newer(self, channel: str, seq: int) -> None:
        pass

    def on_subscribed(self, channels: Collection[str]) -> None:
        self.subscribed = True

    def on_state(self, up: bool) -> None:
        pass


def build(name: str, address: dict[str, Any]) -> Backplane:
    kind = BACKPLANES.find(name)
    assert kind.section is not None
    context: Any = BackplaneContext(settings=None, log=None, metrics=Metrics())  # type: ignore[arg-type]  # neither is used
    return kind.build(kind.section(**address), context)


async def until_up(backplane: Backplane, counter: Counter) -> None:
    async with asyncio.timeout(START_LIMIT_S):
        while not (backplane.up and counter.subscribed):
            await asyncio.sleep(0.01)


async def subscribe(name: str, address: dict[str, Any]) -> None:
    """The child: says "ready"; once its input has ended and nothing more arrives, how many messages arrived and when the
    last one did."""
    counter, backplane = Counter(), build(name, address)
    backplane.subscribe(["bench"])
    running = asyncio.create_task(backplane.run(counter))
    await until_up(backplane, counter)
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.read)
    limit_s = time.monotonic() + DRAIN_LIMIT_S
    while time.monotonic() < min(limit_s, counter.last_s + QUIET_S):
        await asyncio.sleep(0.05)
    print(counter.received, counter.last_s, flush=True)
    running.cancel()
    await asyncio.wait((running,))


async def publish(name: str, address: dict[str, Any]) -> tuple[int, float]:
    """(messages taken, when the first was handed over). What was taken is on its way when this returns."""
    counter, backplane = Counter(), build(name, address)
    backplane.subscribe(["elsewhere"])
    running = asyncio.create_task(backplane.run(counter))
    await until_up(backplane, counter)
    # The server encodes a frame once, before it publishes; here that would be a figure of the encoder.
    frames = [message_frame("bench", 1_000_000 + number, TEXT) for number in range(BATCH)]
    seq, began_s = 0, time.monotonic()
    while time.monotonic() - began_s < SECONDS:
        if backplane.publish([Outgoing("bench", seq + number, frames[number]) for number in range(BATCH)]):
            seq += BATCH
            await asyncio.sleep(0)
        else:
            await asyncio.sleep(0.001)
    await asyncio.sleep(QUIET_S)
    running.cancel()
    await asyncio.wait((running,))
    return seq, began_s


@asynccontextmanager
async def broker(kind: str) -> AsyncIterator[Part[Child]]:
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
            yield part
        finally:
            await part.process.end()


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Rates are per second. ``received_hz``: of the subscriber that received the fewest. ``lost``: the share of what was
    taken that this one did not receive. ``broker_us``: CPU of the broker for a message that all received."""

    title: str
    taken_hz: float
    received_hz: float
    lost: float
    broker_cores: float
    broker_us: float
    clients_cores: float

    @property
    def out_mb_s(self) -> float:
        """Megabytes of frames that all subscribers received together in a second."""
        return self.received_hz * SUBSCRIBERS * FRAME_BYTES / 1e6


def cpu_s(pids: Collection[int]) -> float:
    """CPU seconds of these processes so far."""
    return sum(sum(psutil.Process(pid).cpu_times()[:2]) for pid in pids)


async def measure(name: str) -> Round:
    kind = BACKPLANES.find(name).broker or ""
    async with broker(kind) as part:
        endpoint = part.endpoint
        assert endpoint is not None
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
            pid = part.process.component.pid
            assert pid is not None
            clients = [os.getpid(), *(child.pid for child in children)]
            before = (cpu_s([pid]), cpu_s(clients))
            taken, began_s = await publish(name, address)
            said = []
            for child in children:
                assert child.stdin is not None
                child.stdin.close()
            for child in children:
                assert child.stdout is not None
                # A zombie still has its CPU times: none of the children is waited for before they are read.
                said.append((await asyncio.to_thread(child.stdout.readline)).split())
            spent = (cpu_s([pid]) - before[0], cpu_s(clients) - before[1])
        finally:
            for child in children:
                child.kill()
                child.wait()
        settings = await adapter_of(kind).settings(endpoint)
    fewest = min(int(count) for count, _ in said)
    took_s = max(max(float(last_s) for _, last_s in said) - began_s, SECONDS)
    return Round(
        title=f"{settings.get('program', kind)} {settings.get('version', '')}".strip(),
        taken_hz=taken / SECONDS,
        received_hz=fewest / took_s,
        lost=1 - fewest / taken,
        broker_cores=spent[0] / took_s,
        broker_us=spent[0] / max(1, fewest) * 1e6,
        clients_cores=spent[1] / took_s,
    )


def usable() -> list[str]:
    """The backplanes that have a broker which can be started here; prints which are left out, and why."""
    found = []
    for name in BACKPLANES.names:
        kind = BACKPLANES.find(name).broker
        entry = COMPONENT_KINDS.get(kind) if kind else None
        if entry is None:
            continue
        path = entry.problems.get("embedded")
        if path and (missing := load(path)()):
            print(f"left out: {' '.join(missing)}")
        else:
            found.append(name)
    return found


def main() -> bool:
    print(machine())
    rounds: dict[str, list[Round]] = {name: [] for name in usable()}
    for number in range(ROUNDS):
        for name, found in rounds.items():
            found.append(uvloop.run(measure(name)))
            last = found[-1]
            print(
                f"round {number + 1}, {name}, {last.title}: {last.taken_hz:,.0f} taken/s, {last.received_hz:,.0f} "
                f"received/s by each of {SUBSCRIBERS}",
                flush=True,
            )
    title = (
        f"backplane: 1 publisher, {SUBSCRIBERS} subscribers, frames of {FRAME_BYTES} bytes, as fast as each takes it"
    )
    received = {name: [one.received_hz for one in found] for name, found in rounds.items()}
    show(f"{title}: received by all", "messages/s", received, base="redis", mark=("", 0))
    columns = ("taken/s", "lost %", "out MB/s", "broker cores", "broker us/msg", "client cores")
    print(f"\nmedians{'':27}" + "".join(f"{column:>15}" for column in columns))
    for name, found in rounds.items():
        figures = [
            (one.taken_hz, one.lost * 100, one.out_mb_s, one.broker_cores, one.broker_us, one.clients_cores)
            for one in found
        ]
        print(f"{name:34}" + "".join(f"{statistics.median(each):15,.2f}" for each in zip(*figures, strict=True)))
    return True


if __name__ == "__main__":
    uvloop.run(subscribe(sys.argv[1], json.loads(os.environ["HARNESS_BENCH_ADDRESS"])))
