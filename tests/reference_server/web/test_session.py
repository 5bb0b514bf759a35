import asyncio
from typing import Any

import pytest

from reference_server.gateway.fan_out import SLOW_CONSUMER
from reference_server.protocol.client_requests import Requests
from reference_server.protocol.protocol_limits import Limits
from reference_server.web import session as session_module
from reference_server.web.session import INTERNAL_ERROR, TRY_AGAIN_LATER, Sessions
from tests.reference_server.fakes import until
from tests.reference_server.recovery.rig import Rig
from tests.reference_server.web.asgi import Peer

LIMITS = Limits(channels_per_connection=2, connections=1, resume_messages=100, waiting_bytes=1_000)


class SessionRig(Rig):
    """One session with a gateway and a log, without real sockets. The backplane confirms nothing."""

    async def __aenter__(self) -> "SessionRig":
        await super().__aenter__()
        self.gateway.on_state(False)
        self.sessions = Sessions(
            self.subscriptions, self.catch_up, Requests(LIMITS), limits=LIMITS, metrics=self.metrics
        )
        self.peer = Peer()
        self.serving = asyncio.create_task(self.sessions.serve(self.peer.websocket()))
        return self

    async def __aexit__(self, *_: object) -> None:
        self.peer.send_event(type="websocket.disconnect", code=1000)
        await self.serving
        assert not self.subscriptions.connections
        await super().__aexit__()

    async def events(self, count: int) -> list[dict[str, Any]]:
        await until(lambda: len(self.peer.events) >= count)
        return self.peer.events


def message(seq: int) -> dict[str, Any]:
    return {"type": "message", "channel": "c", "seq": seq, "text": f"text {seq}"}


def test_a_subscription_is_confirmed_at_the_newest_seq() -> None:
    """The session then delivers later messages. ``unsubscribed`` ends the interest in the channel."""

    async def main() -> None:
        async with SessionRig() as rig:
            rig.log.committed["c"] = 41
            rig.peer.send(op="subscribe", channel="c")
            assert await rig.events(1) == [{"type": "subscribed", "channel": "c", "seq": 41}]
            rig.log.committed["c"] = 42
            assert (await rig.events(2))[1] == message(42)
            rig.peer.send(op="unsubscribe", channel="c")
            assert (await rig.events(3))[2] == {"type": "unsubscribed", "channel": "c"}
            assert rig.subscriptions.channels["c"].interest == 0

    asyncio.run(main())


def test_a_resume_writes_what_was_missed() -> None:
    """The missed messages come after the confirmation, which names the client's own ``since``."""

    async def main() -> None:
        async with SessionRig() as rig:
            rig.log.committed["c"] = 4
            rig.peer.send(op="subscribe", channel="c", since=1)
            confirmation = {"type": "subscribed", "channel": "c", "seq": 1}
            assert await rig.events(4) == [confirmation, message(2), message(3), message(4)]
            assert rig.metrics.resumed == 3

    asyncio.run(main())


@pytest.mark.parametrize(
    ("command", "code"),
    [
        ({"op": "subscribe", "channel": "no spaces"}, "invalid_request"),
        ({"op": "subscribe", "channel": "taken"}, "invalid_request"),
        ({"op": "subscribe", "channel": "c", "since": 201}, "invalid_request"),
        ({"op": "subscribe", "channel": "c", "since": 99}, "invalid_request"),
        ({"op": "shout", "channel": "c"}, "invalid_request"),
    ],
)
def test_a_bad_command_is_refused_and_the_session_continues(command: dict[str, Any], code: str) -> None:
    """After a refused subscription no interest in the channel is left."""

    async def main() -> None:
        async with SessionRig() as rig:
            rig.log.committed["c"] = 200
            rig.peer.send(op="subscribe", channel="taken")
            await rig.events(1)
            rig.peer.send(**command)
            error = (await rig.events(2))[1]
            assert (error["type"], error["error"]) == ("error", code)
            assert "c" not in rig.subscriptions.channels or rig.subscriptions.channels["c"].interest == 0
            rig.peer.send(op="subscribe", channel="c")
            assert (await rig.events(3))[2]["type"] == "subscribed"
            rig.peer.send(op="subscribe", channel="third")
            assert (await rig.events(4))[3]["error"] == "too_many_channels"
            rig.peer.send_event(type="websocket.receive", bytes=b"\0")
            assert (await rig.events(5))[4]["error"] == "invalid_json"

    asyncio.run(main())


def test_without_the_log_a_subscription_is_refused() -> None:
    """The error is ``database_unavailable``, and the connection stays open."""

    async def main() -> None:
        async with SessionRig() as rig:
            rig.log.down = True
            rig.peer.send(op="subscribe", channel="c")
            assert (await rig.events(1))[0]["error"] == "database_unavailable"
            rig.log.down = False
            rig.peer.send(op="subscribe", channel="c")
            assert (await rig.events(2))[1]["type"] == "subscribed"

    asyncio.run(main())


def test_a_full_server_closes_with_1013() -> None:
    """The server accepts the handshake first, so that the client sees the code."""

    async def main() -> None:
        async with SessionRig() as rig:
            await until(lambda: rig.subscriptions.connections)
            second = Peer()
            await rig.sessions.serve(second.websocket())
            assert [event["type"] for event in second.sent] == ["websocket.accept", "websocket.close"]
            assert second.sent[1]["code"] == TRY_AGAIN_LATER
            assert rig.metrics.refused_connections == 1

    asyncio.run(main())


def test_a_client_that_takes_nothing_of_its_resume_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server closes the connection with 4008 after the time-out. No interest in the channel is left."""
    monkeypatch.setattr(session_module, "RESUME_TIMEOUT_S", 0.01)

    async def main() -> None:
        async with SessionRig() as rig:
            rig.log.committed["c"] = 4
            rig.peer.socket.writable.clear()
            rig.peer.send(op="subscribe", channel="c", since=1)
            await rig.serving
            assert rig.peer.socket.closed_with == (SLOW_CONSUMER, "read too slowly")
            assert rig.subscriptions.channels["c"].interest == 0
            assert rig.metrics.slow_consumers == 1

    asyncio.run(main())


def test_a_client_that_does_not_read_its_events_is_closed() -> None:
    """The waiting bytes are over the limit, so the server closes the connection with 4008."""

    async def main() -> None:
        async with SessionRig() as rig:
            rig.peer.socket.transport.waiting = LIMITS.waiting_bytes + 1
            rig.peer.send(op="unsubscribe", channel="c")
            await rig.serving
            assert rig.peer.socket.closed_with == (SLOW_CONSUMER, "read too slowly")

    asyncio.run(main())


def test_a_session_that_crashes_is_closed_with_1011(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The client can resume at another server. The log has the traceback."""

    async def main() -> None:
        async with SessionRig() as rig:
            monkeypatch.setattr(rig.sessions._requests, "command", None)
            rig.peer.send(op="subscribe", channel="c")
            await rig.serving
            assert rig.peer.socket.closed_with == (INTERNAL_ERROR, "the server failed")
            assert "TypeError" in caplog.text

    asyncio.run(main())
