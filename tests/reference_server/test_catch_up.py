import asyncio
from collections.abc import Sequence

import pytest

from reference_server import catch_up as catch_up_module
from reference_server.catch_up import CatchUp
from reference_server.coalesced import Coalesced
from reference_server.fan_out import FanOut
from reference_server.gateway import Gateway
from reference_server.link import DatabaseUnavailable
from reference_server.metrics import Metrics
from reference_server.settings import Recovery
from reference_server.trace import Trace
from reference_server.wire import message_frame
from tests.reference_server.fakes import FakeBackplane, FakeSocket, FakeStore, fake_connection, until


class Rig:
    def __init__(self, *, recovery: Recovery = "automatic") -> None:
        self.store = FakeStore()
        metrics = Metrics()
        trace = Trace(10_000)
        fan_out = FanOut(waiting_limit_bytes=10**9, trace=trace, metrics=metrics)
        self.gateway = Gateway(FakeBackplane(), fan_out, recovery=recovery, trace=trace, metrics=metrics)
        self.gateway.on_state(True)
        automatic = recovery == "automatic"
        self.catch_up = CatchUp(self.gateway, self.store, automatic=automatic)

    async def join(self, name: str) -> FakeSocket:
        connection, socket = fake_connection()
        channel = self.gateway.open(name)
        self.gateway.on_subscribed([name])
        await self.catch_up.settled(channel)
        self.gateway.attach(connection, channel, channel.flushed)
        return socket

    async def __aenter__(self) -> "Rig":
        self._running = asyncio.create_task(self.catch_up.run())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._running.cancel()
        await asyncio.wait((self._running,))


def frames(first: int, last: int, name: str = "c") -> bytes:
    return b"".join(message_frame(name, seq, f"text {seq}") for seq in range(first, last + 1))


def test_a_channel_starts_at_what_the_database_has() -> None:
    """A subscriber without ``since`` gets what is committed from now on, not what was."""

    async def main() -> None:
        async with Rig() as rig:
            rig.store.newest["c"] = 41
            await rig.join("c")
            assert rig.gateway.channels["c"].flushed == 41

    asyncio.run(main())


def test_a_lost_tail_is_found_by_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """The last message before silence leaves no hole: the sweep finds it, and everything of a long outage in pages."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.01)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.store.newest["c"] = 3 * catch_up_module.ROWS_PER_READ + 1
            await until(lambda: b"".join(socket.transport.written) == frames(1, rig.store.newest["c"]))

    asyncio.run(main())


def test_a_backplane_that_loses_messages_is_treated_as_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """It says that it is up, but what it should have brought had to be read: then the database is asked more often."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.6)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.store.newest["c"] = 1
            await until(lambda: b"".join(socket.transport.written) == frames(1, 1))
            rig.store.newest["c"] = 2
            async with asyncio.timeout(0.3):
                await until(lambda: b"".join(socket.transport.written) == frames(1, 2))

    asyncio.run(main())


def test_a_database_that_is_down_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed read costs time, never messages."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.01)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.store.newest["c"] = 2
            rig.store.down = True
            asked = len(rig.store.questions)
            await until(lambda: len(rig.store.questions) > asked + 2)
            assert not socket.transport.written
            rig.store.down = False
            await until(lambda: b"".join(socket.transport.written) == frames(1, 2))

    asyncio.run(main())


def test_a_fill_that_fails_is_tried_again_before_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message came ahead of its turn; the database is away for a moment when the missing one is asked for."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 60.0)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.store.newest["c"] = 2
            rig.store.down = True
            asked = len(rig.store.questions)
            rig.gateway.on_message("c", 2, message_frame("c", 2, "text 2"))
            await until(lambda: len(rig.store.questions) > asked)
            rig.store.down = False
            await until(lambda: b"".join(socket.transport.written) == frames(1, 2))

    asyncio.run(main())


def test_without_recovery_the_database_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apart from where a channel starts."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)

    async def main() -> None:
        async with Rig(recovery="off") as rig:
            await rig.join("c")
            await asyncio.sleep(0.05)
            assert rig.store.questions == [["c"]]

    asyncio.run(main())


def test_a_sweep_is_bounded_and_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """With more channels than one sweep may ask about, each gets its turn."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)
    monkeypatch.setattr(catch_up_module, "CHANNELS_PER_SWEEP", 2)

    async def main() -> None:
        async with Rig() as rig:
            for name in ("a", "b", "c", "d", "e"):
                await rig.join(name)
            start = len(rig.store.questions)
            await until(lambda: len(rig.store.questions) >= start + 4)
            asked = rig.store.questions[start:]
            assert all(len(names) <= 2 for names in asked)
            await until(lambda: {name for names in rig.store.questions[start:] for name in names} == set("abcde"))

    asyncio.run(main())


def test_what_could_not_be_checked_stays_on_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """It need not wait for its turn among more channels than a sweep asks about."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)
    monkeypatch.setattr(catch_up_module, "CHANNELS_PER_SWEEP", 2)

    async def main() -> None:
        async with Rig() as rig:
            for name in "abcde":
                await rig.join(name)
            await until(lambda: not rig.gateway.unchecked)
            rig.store.down = True
            asked = len(rig.store.questions)
            rig.gateway.check_all()
            await until(lambda: len(rig.store.questions) > asked + 1)
            await until(lambda: rig.gateway.unchecked == set("abcde"))
            rig.store.down = False
            await until(lambda: not rig.gateway.unchecked)

    asyncio.run(main())


def test_a_subscription_waits_for_the_backplane_only_so_long(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen broker confirms nothing; the channel opens all the same, and is checked when the confirmation comes."""
    monkeypatch.setattr(catch_up_module, "SUBSCRIBE_PATIENCE_S", 0.01)

    async def main() -> None:
        async with Rig() as rig:
            await rig.catch_up.settled(rig.gateway.open("c"))
            assert rig.gateway.channels["c"].position == 0

    asyncio.run(main())


def test_many_subscribers_are_few_questions() -> None:
    """What is asked while a question is under way is asked together, each different thing once."""

    async def main() -> None:
        async with Rig() as rig:
            await asyncio.gather(*[rig.join(f"channel-{i % 100}") for i in range(1_000)])
            assert len(rig.store.questions) <= 4

    asyncio.run(main())


def test_nothing_is_asked_about_nothing() -> None:
    """A channel that opens has no position yet when the backplane confirms it: thousands do while clients connect."""

    async def main() -> None:
        async with Rig() as rig:
            for name in ("a", "b", "c"):
                await rig.join(name)
                await until(lambda: not rig.gateway.check_wanted.is_set())
            assert rig.store.questions
            assert all(rig.store.questions)

    asyncio.run(main())


def test_an_answer_is_never_older_than_its_question() -> None:
    """A question that comes while the same one is under way is asked anew: the answer under way may be too old."""

    async def main() -> None:
        answers = iter((1, 2))
        asked = asyncio.Event()
        go_on = asyncio.Event()

        async def ask(questions: Sequence[str]) -> list[int]:
            answer = next(answers)
            asked.set()
            await go_on.wait()
            return [answer] * len(questions)

        coalesced = Coalesced[str, int](ask, at_once=10)
        running = asyncio.create_task(coalesced.run())
        first = asyncio.create_task(coalesced.get("q"))
        await asked.wait()
        second = asyncio.create_task(coalesced.get("q"))
        await asyncio.sleep(0)
        go_on.set()
        assert (await first, await second) == (1, 2)
        running.cancel()

    asyncio.run(main())


def test_who_asked_hears_of_the_failure() -> None:
    """Everyone whose question failed gets the error, one by one; the next question is asked as if nothing was."""

    async def main() -> None:
        async with Rig() as rig:
            rig.store.down = True
            results = await asyncio.gather(*[rig.catch_up.newest("c") for _ in range(3)], return_exceptions=True)
            assert [type(result) for result in results] == [DatabaseUnavailable] * 3
            rig.store.down = False
            assert await rig.catch_up.newest("c") == 0

    asyncio.run(main())


def test_a_rebroadcast_delivers_what_is_missed_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With recovery by hand no sweep fills anything; one call delivers all that is missed, in order, and counts it."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            socket = await rig.join("c")
            rig.store.newest["c"] = 450
            await asyncio.sleep(0.05)
            assert not socket.transport.written
            assert await rig.catch_up.rebroadcast(["c", "nobody's"]) == 450
            missed = b"".join(message_frame("c", seq, f"text {seq}") for seq in range(1, 451))
            await until(lambda: b"".join(socket.transport.written) == missed)
            assert await rig.catch_up.rebroadcast(["c"]) == 0

    asyncio.run(main())


def test_a_rebroadcast_says_when_the_database_is_away() -> None:
    """It is asked for by hand, so whoever asks is told."""

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            await rig.join("c")
            rig.store.down = True
            with pytest.raises(DatabaseUnavailable):
                await rig.catch_up.rebroadcast(["c"])

    asyncio.run(main())
