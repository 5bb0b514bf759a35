"""While the backplane is down, messages reach the sockets through the log, without a sweep."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference_server.protocol.server_events import message_frame
from reference_server.recovery import catch_up as catch_up_module
from reference_server.recovery import tail as tail_module
from tests.reference_server.fakes import FakeSocket, until
from tests.reference_server.recovery.rig import Rig, frames


@asynccontextmanager
async def an_outage(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Rig, FakeSocket]]:
    """The backplane goes down after it was up and trusted. Channel "c" is followed, and the next sweep is an hour
    away."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)
    monkeypatch.setattr(tail_module, "DISTRUST_S", 0.0)
    async with Rig() as rig:
        socket = await rig.join("c")
        await asyncio.sleep(0.05)
        at_rest = rig.log.reads
        rig.gateway.on_state(False)
        await until(lambda: rig.log.reads > at_rest + 1)
        yield rig, socket


def received(socket: FakeSocket) -> bytes:
    return b"".join(socket.transport.written)


def test_messages_travel_through_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    """This works while the backplane is down, without a question for each channel's newest seq."""

    async def main() -> None:
        async with an_outage(monkeypatch) as (rig, socket):
            asked = len(rig.log.questions)
            for seq in range(1, 6):
                rig.log.committed["c"] = seq
                await until(lambda seq=seq: received(socket) == frames(1, seq))
            assert len(rig.log.questions) == asked

    asyncio.run(main())


def test_what_was_committed_before_the_loss_was_noticed_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first mark is set when the loss is noticed. One comparison of every channel finds older messages."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 3
            await asyncio.sleep(0.02)
            assert not socket.transport.written
            rig.gateway.on_state(False)
            await until(lambda: received(socket) == frames(1, 3))

    asyncio.run(main())


def test_more_than_one_read_holds_is_found_by_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The messages beyond the limit of one read are not lost."""
    monkeypatch.setattr(tail_module, "ROWS_PER_READ", 10)

    async def main() -> None:
        async with an_outage(monkeypatch) as (rig, socket):
            other = await rig.join("z")
            rig.log.committed |= {"c": 30, "z": 5}
            await until(lambda: received(socket) == frames(1, 30) and received(other) == frames(1, 5, "z"))

    asyncio.run(main())


def test_a_database_that_fails_costs_time_and_no_message(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next read starts at the same mark."""

    async def main() -> None:
        async with an_outage(monkeypatch) as (rig, socket):
            rig.log.down = True
            rig.log.committed["c"] = 2
            reads = rig.log.reads
            await until(lambda: rig.log.reads > reads + 1)
            assert not socket.transport.written
            rig.log.down = False
            await until(lambda: received(socket) == frames(1, 2))

    asyncio.run(main())


def test_a_channel_that_opens_in_an_outage_misses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message is committed and read while the channel's start is being read."""

    async def main() -> None:
        async with an_outage(monkeypatch) as (rig, _):
            answer = asyncio.Event()
            asked = asyncio.Event()
            newest = rig.log.newest

            async def slowly(names: list[str]) -> dict[str, int]:
                found = await newest(names)
                asked.set()
                await answer.wait()
                return found

            monkeypatch.setattr(rig.log, "newest", slowly)
            joining = asyncio.create_task(rig.join("late"))
            await asked.wait()
            rig.log.committed["late"] = 1
            reads = rig.log.reads
            await until(lambda: rig.log.reads > reads + 1)
            answer.set()
            socket = await joining
            await until(lambda: received(socket) == frames(1, 1, "late"))

    asyncio.run(main())


def test_a_backplane_that_is_up_again_is_followed_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is then not read any more."""

    async def main() -> None:
        async with an_outage(monkeypatch) as (rig, _):
            rig.gateway.on_state(True)
            await asyncio.sleep(0.1)
            reads = rig.log.reads
            await asyncio.sleep(0.05)
            assert rig.log.reads == reads

    asyncio.run(main())


def test_what_an_unreliable_backplane_may_still_bring_is_given_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backplane is up, but lost a message a moment ago. A message that it delivers in time counts as live."""

    async def main() -> None:
        async with an_outage(monkeypatch) as (rig, socket):
            monkeypatch.setattr(tail_module, "DISTRUST_S", 3_600.0)
            rig.gateway.on_state(False)
            await until(lambda: not rig.gateway.work.follow_wanted.is_set())
            rig.gateway.on_state(True)
            rig.log.committed["c"] = 1
            await until(lambda: rig.gateway.channels["c"].behind)
            assert not socket.transport.written
            rig.gateway.on_message("c", 1, message_frame("c", 1, "text 1"))
            await until(lambda: received(socket) == frames(1, 1))
            rig.log.committed["c"] = 2  # the backplane does not deliver this message
            await until(lambda: received(socket) == frames(1, 2))

    asyncio.run(main())
