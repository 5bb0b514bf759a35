import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from reference_server.backplane import reconnection, redis_publisher, resp_connection
from reference_server.backplane.base import Outgoing
from reference_server.backplane.redis_publisher import Redis
from reference_server.backplane.redis_pubsub import RedisPubSub
from reference_server.metrics import Metrics
from tests.reference_server.fake_redis import FakeRedis
from tests.reference_server.fakes import FakeReceiver, until


@asynccontextmanager
async def connected(backplane: RedisPubSub) -> AsyncIterator[FakeReceiver]:
    receiver = FakeReceiver()
    running = asyncio.create_task(backplane.run(receiver))
    try:
        yield receiver
    finally:
        running.cancel()
        await asyncio.wait((running,))


def redis_pubsub_at(redis: FakeRedis, password: str | None = None) -> RedisPubSub:
    return RedisPubSub(Redis(host="127.0.0.1", port=redis.port, password=password), Metrics())


def test_a_message_arrives_as_it_was_published() -> None:
    """Channel, seq and frame are unchanged, also if the frame has any bytes. Only subscribed channels arrive."""

    async def main() -> None:
        async with FakeRedis(b"secret").running() as redis:
            backplane = redis_pubsub_at(redis, "secret")
            backplane.subscribe(["general"])
            async with connected(backplane) as receiver:
                await until(lambda: ("subscribed", "general") in receiver.events and backplane.up)
                frame = bytes(range(256))
                assert backplane.publish([Outgoing("other", 1, b""), Outgoing("general", 2**40, frame)])
                await until(lambda: ("message", "general", 2**40, frame) in receiver.events)
                assert receiver.events[0] == ("up",)
                assert len(receiver.events) == 3

    asyncio.run(main())


def test_a_batch_is_published_in_order() -> None:
    """Each message is one command."""

    async def main() -> None:
        async with FakeRedis().running() as redis:
            backplane = redis_pubsub_at(redis)
            async with connected(backplane):
                await until(lambda: backplane.up)
                backplane.publish([Outgoing("c", seq, b"") for seq in range(100)])
                await until(lambda: len([c for c in redis.commands if c[0] == b"PUBLISH"]) == 100)
                seqs = [int.from_bytes(c[2][:8]) for c in redis.commands if c[0] == b"PUBLISH"]
                assert seqs == list(range(100))

    asyncio.run(main())


def test_subscriptions_of_one_turn_are_one_command() -> None:
    """10,000 clients that connect together must not cause 10,000 small writes. A SUBSCRIBE never follows a later
    UNSUBSCRIBE."""

    async def main() -> None:
        async with FakeRedis().running() as redis:
            backplane = redis_pubsub_at(redis)
            async with connected(backplane) as receiver:
                await until(lambda: backplane.up)
                for name in ("a", "b", "c"):
                    backplane.subscribe([name])
                backplane.unsubscribe(["b"])
                await until(lambda: redis.commands[-1][0] == b"UNSUBSCRIBE")
                asked = [command for command in redis.commands if b"SUBSCRIBE" in command[0]]
                assert asked == [[b"SUBSCRIBE", b"chat:a", b"chat:b", b"chat:c"], [b"UNSUBSCRIBE", b"chat:b"]]
                await until(lambda: ("subscribed", "a", "b", "c") in receiver.events)

    asyncio.run(main())


def test_after_a_reconnection_everything_is_subscribed_again() -> None:
    """The receiver gets the confirmation of every channel that is still wanted."""

    async def main() -> None:
        redis = FakeRedis()
        async with redis.running():
            backplane = redis_pubsub_at(redis)
            backplane.subscribe(["a", "b"])
            running = connected(backplane)
            receiver = await running.__aenter__()
            await until(lambda: ("subscribed", "a", "b") in receiver.events)
        await until(lambda: not backplane.up)
        assert not backplane.publish([Outgoing("a", 1, b"")])
        backplane.subscribe(["c"])
        backplane.unsubscribe(["a"])
        receiver.events.clear()
        async with redis.running(redis.port):
            await until(lambda: ("subscribed", "b", "c") in receiver.events)
            await until(lambda: backplane.up)
            assert backplane.publish([Outgoing("a", 1, b"")])
        await running.__aexit__(None, None, None)

    asyncio.run(main())


def test_a_frozen_broker_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A frozen broker keeps its connections open and does not answer. After an unanswered PING it counts as down. A new
    connection counts as up only after the answer to a PING."""
    monkeypatch.setattr(resp_connection, "PING_INTERVAL_S", 0.05)
    monkeypatch.setattr(resp_connection, "HANDSHAKE_TIMEOUT_S", 0.05)

    async def main() -> None:
        async with FakeRedis().running() as redis:
            backplane = redis_pubsub_at(redis)
            async with connected(backplane) as receiver:
                await until(lambda: backplane.up)
                redis.frozen = True
                await until(lambda: ("down",) in receiver.events and not backplane.up)
                receiver.events.clear()
                pings = len(redis.commands)
                await until(lambda: len(redis.commands) > pings + 2)
                assert receiver.events == []
                redis.frozen = False
                await until(lambda: backplane.up)

    asyncio.run(main())


def test_the_queue_for_a_slow_broker_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    """The number of bytes that wait for publication is limited. Beyond it messages are only in the log."""
    monkeypatch.setattr(redis_publisher, "PUBLISH_BUFFER_BYTES", 100_000)

    async def main() -> None:
        async with FakeRedis().running() as redis:
            backplane = redis_pubsub_at(redis)
            async with connected(backplane):
                await until(lambda: backplane.up)
                taken = [backplane.publish([Outgoing("c", 1, b"x" * 1_000_000)]) for _ in range(50)]
                assert taken[0]
                assert not taken[-1]
                await until(lambda: backplane.publish([Outgoing("c", 1, b"")]))

    asyncio.run(main())


def test_a_post_never_waits_for_the_broker() -> None:
    """Publishing is a plain call. It returns even without an event loop."""
    backplane = RedisPubSub(Redis(host="192.0.2.1"), Metrics())
    assert backplane.publish([Outgoing("c", 1, b"")]) is False


def test_a_broker_that_closes_again_and_again_gets_fewer_attempts(monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is lost at once counts as a failure, so the pauses grow."""
    limits_s: list[float] = []

    def shortest(_: float, limit_s: float) -> float:
        limits_s.append(limit_s)
        return 0.0

    monkeypatch.setattr("random.uniform", shortest)

    async def main() -> None:
        async with FakeRedis().running() as redis:
            backplane = redis_pubsub_at(redis)

            async def hang_up(_: resp_connection.RespConnection) -> None:
                raise ConnectionResetError("cut off")

            monkeypatch.setattr(backplane, "_serve_subscriber", hang_up)
            async with connected(backplane):
                await until(lambda: reconnection.BACK_OFF_CAP_S in limits_s)
            assert sorted(limits_s) == limits_s

    asyncio.run(main())


def test_a_wrong_password_is_a_broker_that_is_down() -> None:
    """The server tries again, because the broker may have the wrong password."""

    async def main() -> None:
        async with FakeRedis(b"secret").running() as redis:
            backplane = redis_pubsub_at(redis, "wrong")
            async with connected(backplane):
                await until(lambda: len([c for c in redis.commands if c[0] == b"AUTH"]) >= 4)
                assert not backplane.up

    asyncio.run(main())
