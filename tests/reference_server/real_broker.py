"""A real broker for tests of a backplane. The embedded environment's own code starts it."""

import asyncio
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any

import pytest

from harness.environments.embedded.child import Child
from harness.environments.embedded.child_faults import heal, inject
from harness.environments.embedded.start import Start
from harness.environments.guard import Guard
from harness.environments.part import Part
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS
from harness.model.fault import FaultKind
from harness.model.registry import load
from reference_server.backplane.base import Backplane, BackplaneContext, BackplaneKind, Outgoing
from reference_server.metrics import Metrics
from tests.reference_server.fakes import FakeReceiver, until

LIMIT_S = 20.0


@asynccontextmanager
async def real_broker(kind: str) -> AsyncIterator[Part[Child]]:
    """If this machine has no such program, the test is skipped with the reason."""
    entry = COMPONENT_KINDS.get(kind)
    if "embedded" in entry.problems and (missing := load(entry.problems["embedded"])()):
        pytest.skip(" ".join(missing))
    with tempfile.TemporaryDirectory() as folder, Guard() as guard:
        start = Start(
            topology=Topology(servers=1, backplane="memory", write_path="db-first", run_id="rtest0000"),
            name="broker",
            folder=Path(folder),
            log=Path(folder) / "broker.log",
            guard=guard,
            password="secret-1_x",
        )
        part = await load(entry.starters["embedded"])(start)
        try:
            yield part
        finally:
            await part.process.end()


def built(kind: BackplaneKind, part: Part[Child], **settings: Any) -> Backplane:
    endpoint = part.endpoint
    assert endpoint is not None
    assert kind.section is not None
    login = {"username": endpoint.user} if endpoint.user else {}
    section = kind.section(host=endpoint.host, port=endpoint.port, password=endpoint.password, **login, **settings)
    context: Any = BackplaneContext(settings=None, log=None, metrics=Metrics())
    return kind.build(section, context)


@asynccontextmanager
async def running(*backplanes: Backplane) -> AsyncIterator[list[FakeReceiver]]:
    """Runs every backplane with its own receiver, and waits until all are up."""
    receivers = [FakeReceiver() for _ in backplanes]
    tasks = [asyncio.create_task(one.run(to)) for one, to in zip(backplanes, receivers, strict=True)]
    try:
        await until(lambda: all(backplane.up for backplane in backplanes), limit_s=LIMIT_S)
        yield receivers
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)


def seqs(receiver: FakeReceiver, channel: str) -> list[int]:
    return [event[2] for event in receiver.events if event[0] == "message" and event[1] == channel]


async def carries_messages(kind: BackplaneKind, running_broker: Part[Child] | None = None) -> None:
    """One server publishes after the other one's subscription was confirmed. The messages arrive unchanged and in
    order, for any channel name, any bytes and the longest frame."""
    async with nullcontext(running_broker) if running_broker else real_broker(kind.broker or "") as part:
        sender, reader = built(kind, part), built(kind, part)
        names = ["general", "a..b.", ".x:y-z_"]
        reader.subscribe(names)
        async with running(sender, reader) as (_, receiver):
            await until(lambda: any(event[0] == "subscribed" for event in receiver.events), limit_s=LIMIT_S)
            assert receiver.events[0] == ("up",)
            frames = [bytes(range(256)) + b"\r\nMSG x 1 2\r\n", b"", b"x" * 98_400]
            for name in names:
                assert sender.publish([Outgoing(name, seq, frame) for seq, frame in enumerate(frames, 2**40)])
            reader.subscribe(["later"])
            await until(lambda: ("subscribed", "later") in receiver.events)
            assert sender.publish([Outgoing("later", 1, b"")])
            await until(lambda: seqs(receiver, "later") == [1], limit_s=LIMIT_S)
            await until(lambda: all(len(seqs(receiver, name)) == 3 for name in names), limit_s=LIMIT_S)
            for name in names:
                found = [event[2:] for event in receiver.events if event[:2] == ("message", name)]
                assert found == [(seq, frame) for seq, frame in enumerate(frames, 2**40)]


async def comes_back(kind: BackplaneKind, fault: FaultKind, running_broker: Part[Child] | None = None) -> None:
    """While the broker is down or frozen, the backplane reports down, and a publication returns False at once.
    Afterwards every channel is confirmed again, and messages arrive."""
    async with nullcontext(running_broker) if running_broker else real_broker(kind.broker or "") as part:
        backplane = built(kind, part)
        backplane.subscribe(["general"])
        async with running(backplane) as (receiver,):
            await until(lambda: ("subscribed", "general") in receiver.events, limit_s=LIMIT_S)
            await inject(part, fault)
            await until(lambda: ("down",) in receiver.events and not backplane.up, limit_s=LIMIT_S)
            await until(lambda: not backplane.publish([Outgoing("general", 1, b"")]), limit_s=LIMIT_S)
            receiver.events.clear()
            await heal(part, fault)
            await until(lambda: backplane.up and ("subscribed", "general") in receiver.events, limit_s=LIMIT_S)
            assert backplane.publish([Outgoing("general", 2, b"")])
            await until(lambda: 2 in seqs(receiver, "general"), limit_s=LIMIT_S)
