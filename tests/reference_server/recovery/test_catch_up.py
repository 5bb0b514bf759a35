import asyncio

import pytest

from reference_server.message_log.base import LogUnavailable
from reference_server.protocol.server_events import message_frame
from reference_server.recovery import catch_up as catch_up_module
from reference_server.recovery import log_reader as log_reader_module
from reference_server.settings import Recovery
from tests.reference_server.fakes import until
from tests.reference_server.recovery.rig import Rig, frames


def test_a_channel_starts_at_what_the_database_has() -> None:
    """A subscriber without ``since`` gets messages that are committed from now on, and no earlier ones."""

    async def main() -> None:
        async with Rig() as rig:
            rig.log.committed["c"] = 41
            await rig.join("c")
            assert rig.gateway.channels["c"].flushed == 41

    asyncio.run(main())


def test_a_lost_tail_is_found_by_comparing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A lost last message leaves no hole. The sweep finds it, and reads all messages of a long outage in pages."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.01)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 3 * log_reader_module.ROWS_PER_READ + 1
            await until(lambda: b"".join(socket.transport.written) == frames(1, rig.log.committed["c"]))

    asyncio.run(main())


def test_a_backplane_that_loses_messages_is_treated_as_down(monkeypatch: pytest.MonkeyPatch) -> None:
    """The backplane is up, but a message had to be read from the log. Then the log is read more often."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.6)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 1
            await until(lambda: b"".join(socket.transport.written) == frames(1, 1))
            rig.log.committed["c"] = 2
            async with asyncio.timeout(0.3):
                await until(lambda: b"".join(socket.transport.written) == frames(1, 2))

    asyncio.run(main())


def test_a_database_that_is_down_is_asked_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed read costs time, never messages."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.01)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 2
            rig.log.down = True
            asked = len(rig.log.questions)
            await until(lambda: len(rig.log.questions) > asked + 2)
            assert not socket.transport.written
            rig.log.down = False
            await until(lambda: b"".join(socket.transport.written) == frames(1, 2))

    asyncio.run(main())


def test_a_fill_that_fails_is_tried_again_before_the_next_sweep(monkeypatch: pytest.MonkeyPatch) -> None:
    """A message came too early. The log is down for a moment when the missing message is read."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 60.0)

    async def main() -> None:
        async with Rig() as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 2
            rig.log.down = True
            asked = len(rig.log.questions)
            rig.gateway.on_message("c", 2, message_frame("c", 2, "text 2"))
            await until(lambda: len(rig.log.questions) > asked)
            rig.log.down = False
            await until(lambda: b"".join(socket.transport.written) == frames(1, 2))

    asyncio.run(main())


def test_without_recovery_the_database_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log is read only for the start of a channel."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)

    async def main() -> None:
        async with Rig(recovery="off") as rig:
            await rig.join("c")
            await asyncio.sleep(0.05)
            assert rig.log.questions == [["c"]]

    asyncio.run(main())


def test_a_sweep_is_bounded_and_takes_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep reads a limited number of channels. The next sweeps read the others."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)
    monkeypatch.setattr(catch_up_module, "CHANNELS_PER_SWEEP", 2)

    async def main() -> None:
        async with Rig() as rig:
            for name in ("a", "b", "c", "d", "e"):
                await rig.join(name)
            start = len(rig.log.questions)
            await until(lambda: len(rig.log.questions) >= start + 4)
            asked = rig.log.questions[start:]
            assert all(len(names) <= 2 for names in asked)
            await until(lambda: {name for names in rig.log.questions[start:] for name in names} == set("abcde"))

    asyncio.run(main())


def test_what_could_not_be_checked_stays_on_the_list(monkeypatch: pytest.MonkeyPatch) -> None:
    """While the log is down, the channels stay on the list. So they need not wait for a sweep."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)
    monkeypatch.setattr(catch_up_module, "CHANNELS_PER_SWEEP", 2)

    async def main() -> None:
        async with Rig() as rig:
            for name in "abcde":
                await rig.join(name)
            await until(lambda: not rig.gateway.work.unchecked)
            rig.log.down = True
            asked = len(rig.log.questions)
            rig.gateway.work.check(rig.gateway.channels)
            await until(lambda: len(rig.log.questions) > asked + 1)
            await until(lambda: rig.gateway.work.unchecked == set("abcde"))
            rig.log.down = False
            await until(lambda: not rig.gateway.work.unchecked)

    asyncio.run(main())


def test_a_subscription_waits_a_limited_time_for_the_backplane(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen broker confirms nothing. The channel opens after the time limit, and is checked when the confirmation
    comes."""
    monkeypatch.setattr(catch_up_module, "SUBSCRIBE_TIMEOUT_S", 0.01)

    async def main() -> None:
        async with Rig() as rig:
            await rig.catch_up.until_started(rig.subscriptions.open("c"))
            assert rig.gateway.channels["c"].position == 0

    asyncio.run(main())


def test_no_question_is_empty() -> None:
    """A channel that is still opening has no position when the backplane confirms it. While clients connect, there are
    thousands of such channels."""

    async def main() -> None:
        async with Rig() as rig:
            for name in ("a", "b", "c"):
                await rig.join(name)
                await until(lambda: not rig.gateway.work.check_wanted.is_set())
            assert rig.log.questions
            assert all(rig.log.questions)

    asyncio.run(main())


def test_a_rebroadcast_delivers_what_is_missed_and_nothing_else_does(monkeypatch: pytest.MonkeyPatch) -> None:
    """With manual recovery no sweep fills a hole. One call delivers all missing messages in order and counts them."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 0.005)

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 450
            await asyncio.sleep(0.05)
            assert not socket.transport.written
            assert await rig.catch_up.rebroadcast(["c", "other"]) == 450
            missed = b"".join(message_frame("c", seq, f"text {seq}") for seq in range(1, 451))
            await until(lambda: b"".join(socket.transport.written) == missed)
            assert await rig.catch_up.rebroadcast(["c"]) == 0

    asyncio.run(main())


def test_a_rebroadcast_raises_while_the_log_is_down() -> None:
    """A rebroadcast is a request, so its sender gets the failure."""

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            await rig.join("c")
            rig.log.down = True
            with pytest.raises(LogUnavailable):
                await rig.catch_up.rebroadcast(["c"])

    asyncio.run(main())


@pytest.mark.parametrize("recovery", ["automatic", "manual", "off"])
def test_what_the_backplane_announces_is_read_and_delivered_once(
    recovery: Recovery, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Messages are read in order, in pages of limited size. Repeated and old announcements cause no read. Such a
    backplane is trusted, so the tail does not follow."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)

    async def main() -> None:
        async with Rig(recovery=recovery) as rig:
            socket = await rig.join("c")
            await until(lambda: not rig.gateway.work.check_wanted.is_set())
            rig.gateway.work.follow_wanted.clear()
            newest = 2 * log_reader_module.ROWS_PER_READ + 50
            rig.log.committed["c"] = newest
            start = len(rig.log.questions)
            for seq in (1, newest, 7, newest):
                rig.gateway.on_newer("c", seq)
            await until(lambda: b"".join(socket.transport.written) == frames(1, newest))
            questions = rig.log.questions[start:]
            assert questions == [[("c", 0)], [("c", 200)], [("c", 400)]]
            for seq in (newest, 1):
                rig.gateway.on_newer("c", seq)
            await asyncio.sleep(0.05)
            assert rig.log.questions[start:] == questions
            assert b"".join(socket.transport.written) == frames(1, newest)
            assert rig.metrics.recovered == 0
            assert not rig.gateway.work.follow_wanted.is_set()

    asyncio.run(main())


def test_many_announcements_are_read_in_bounded_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each read is about few channels, so that posts are served in between."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)

    async def main() -> None:
        async with Rig() as rig:
            names = [f"c{number}" for number in range(3 * catch_up_module.CHANNELS_PER_FILL)]
            sockets = {name: await rig.join(name) for name in names}
            start = len(rig.log.questions)
            for name in names:
                rig.log.committed[name] = 2
                rig.gateway.on_newer(name, 2)
            for name, socket in sockets.items():
                await until(lambda name=name, socket=socket: b"".join(socket.transport.written) == frames(1, 2, name))
            reads = [asked for asked in rig.log.questions[start:] if isinstance(asked[0], tuple)]
            assert max(len(asked) for asked in reads) <= catch_up_module.CHANNELS_PER_FILL

    asyncio.run(main())


def test_an_announcement_while_a_channel_opens_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The announcement arrives after the newest seq was read, and before the channel has started there."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)

    async def main() -> None:
        async with Rig(recovery="off") as rig:
            rig.log.committed["c"] = 5
            asked, answer = asyncio.Event(), asyncio.Event()
            newest = rig.log.newest

            async def slowly(names: list[str]) -> dict[str, int]:
                found = await newest(names)
                asked.set()
                await answer.wait()
                return found

            monkeypatch.setattr(rig.log, "newest", slowly)
            joining = asyncio.create_task(rig.join("c"))
            await asked.wait()
            rig.log.committed["c"] = 7
            rig.gateway.on_newer("c", 7)
            answer.set()
            socket = await joining
            await until(lambda: b"".join(socket.transport.written) == frames(6, 7))

    asyncio.run(main())


def test_an_announcement_while_the_log_is_down_is_read_later(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frame that arrives meanwhile waits for the messages before it."""
    monkeypatch.setattr(catch_up_module, "SWEEP_S", 3_600.0)

    async def main() -> None:
        async with Rig(recovery="manual") as rig:
            socket = await rig.join("c")
            rig.log.committed["c"] = 3
            rig.log.down = True
            asked = len(rig.log.questions)
            rig.gateway.on_newer("c", 2)
            rig.gateway.on_message("c", 3, message_frame("c", 3, "text 3"))
            await until(lambda: len(rig.log.questions) > asked)
            assert not socket.transport.written
            rig.log.down = False
            await until(lambda: b"".join(socket.transport.written) == frames(1, 3))

    asyncio.run(main())
