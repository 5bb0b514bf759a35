"""The fleet against a small server that speaks the protocol: real processes, real sockets."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from aiohttp import WSMsgType, web

from harness.load.engine.local import LocalEngine
from harness.load.fleet import Fleet
from harness.model.cluster import ServerAddress
from harness.model.drain import Drained, DrainEnd
from harness.model.errors import EnvironmentFailure, WorkerLost
from harness.model.plan import Plan
from harness.recording import format as layout
from tests.harness.plans import a_plan

pytestmark = pytest.mark.integration

PLAN = a_plan(servers=1, clients=8, audience=4, rate_hz=50.0, duration_s=0.6, workers=2)


class Service:
    """One server in this process. It closes every socket once, after ``cut_after`` messages."""

    def __init__(self, cut_after: int = 0, to_trouble: tuple[int, int] = (0, 0)) -> None:
        self.to_trouble = to_trouble
        self.messages: dict[str, list[str]] = {}
        self.sockets: dict[str, list[web.WebSocketResponse]] = {}
        self.resumed: list[dict[str, Any]] = []
        self.posted = 0
        self.cut_after = cut_after
        self.unfair_at = 0
        """the message that one client gets twice and another client never gets"""
        self.phantom_at = 0
        """the message that is delivered and then refused; one client does not get the message after it"""
        self.deaf_after = 0
        """from this message on the server delivers nothing, and it cuts a connection off only when its client pings"""
        self.breaks_off = self.stays_silent = 0
        """the number of next connections that are closed before the answer to their handshake, and the number that are
        answered and then ignored"""
        self.pings = 0
        self.ignored: list[web.WebSocketResponse] = []

    async def post(self, request: web.Request) -> web.Response:
        body = await request.json()
        name = body["channel"]
        stored = self.messages.setdefault(name, [])
        stored.append(body["text"])
        self.posted += 1
        cut = self.posted == self.cut_after
        sockets = list(self.sockets.get(name, ()))
        if self.posted == self.unfair_at:
            sockets[1:2] = sockets[:1]
        if self.phantom_at and self.posted == self.phantom_at + 1:
            sockets = sockets[1:]
        if self.deaf_after and self.posted >= self.deaf_after:
            sockets = []
        for socket in sockets:
            await socket.send_str(event(name, len(stored), body["text"]))
        if cut:
            self.breaks_off, self.stays_silent = self.to_trouble
            for socket in [each for sockets in self.sockets.values() for each in sockets]:
                await socket.close(code=1012)
        if self.posted == self.phantom_at:
            return web.json_response({"ok": False, "error": "overloaded", "detail": ""}, status=503)
        return web.json_response({"ok": True, "channel": name, "seq": len(stored), "duplicate": False})

    async def socket(self, request: web.Request) -> web.WebSocketResponse:
        if self.breaks_off:
            self.breaks_off -= 1
            assert request.transport is not None
            request.transport.close()
            return web.WebSocketResponse()
        socket = web.WebSocketResponse(compress=False, autoping=not self.deaf_after)
        await socket.prepare(request)
        if self.stays_silent:
            self.stays_silent -= 1
            self.ignored.append(socket)
            with contextlib.suppress(ConnectionError):
                while not socket.closed:
                    await socket.receive()
            return socket
        name = ""
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                command = json.loads(message.data)
                name = command["channel"]
                stored = self.messages.setdefault(name, [])
                since = command.get("since", len(stored))
                if "since" in command:
                    self.resumed.append(command)
                await socket.send_str(json.dumps({"type": "subscribed", "channel": name, "seq": since}))
                for seq, text in enumerate(stored[since:], since + 1):
                    await socket.send_str(event(name, seq, text))
                self.sockets.setdefault(name, []).append(socket)
            elif message.type is WSMsgType.PING:
                self.pings += 1
                assert request.transport is not None
                request.transport.abort()
        self.sockets[name].remove(socket)
        return socket


def event(channel: str, seq: int, text: str) -> str:
    return json.dumps({"type": "message", "channel": channel, "seq": seq, "text": text})


@asynccontextmanager
async def serving(service: Service) -> AsyncIterator[ServerAddress]:
    app = web.Application()
    app.router.add_post("/v1/chat.postMessage", service.post)
    app.router.add_get("/v1/ws", service.socket)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    try:
        port = runner.addresses[0][1]
        yield ServerAddress(name="server-1", host="127.0.0.1", port=port)
    finally:
        await runner.cleanup()


def a_fleet(address: ServerAddress, folder: Path, plan: Plan = PLAN) -> Fleet:
    engine = LocalEngine(folder)
    return Fleet(plan=plan, servers=[address], token="token", engine=engine)


async def play(fleet: Fleet) -> bool:
    return (await drained(fleet)).how is DrainEnd.COMPLETE


async def drained(fleet: Fleet, quiet_s: float = 2, limit_s: float = 10) -> Drained:
    await fleet.connect(20)
    await fleet.probe(10)
    await fleet.start(time.monotonic_ns() + 100_000_000)
    assert await fleet.posted(20)
    end = await fleet.drain(quiet_s, limit_s)
    await fleet.finish()
    return end


def rows(folder: Path, part: str) -> Any:
    return np.concatenate([np.load(path) for path in sorted((folder / "arrays").glob(f"{part}-*.npy"))])


def test_every_delivery_becomes_a_row(tmp_path: Path) -> None:
    """30 messages and 2 probes go to 4 clients each: 128 rows. Every post is acknowledged, and the fleet closes every
    session."""

    async def scenario() -> bool:
        async with serving(Service()) as address, a_fleet(address, tmp_path) as fleet:
            return await play(fleet)

    assert asyncio.run(scenario())
    posts = np.load(tmp_path / "arrays" / "posts.npy")
    assert len(posts) == 32
    assert (posts["outcome"] == layout.ACKNOWLEDGED).all()
    assert (posts["sent_ns"] >= posts["intended_ns"]).all()
    assert (posts["answered_ns"] > posts["sent_ns"]).all()
    assert len(rows(tmp_path, "deliveries")) == 128
    assert (rows(tmp_path, "frames")["flaw"] == layout.SOUND).all()
    sessions = rows(tmp_path, "sessions")
    assert sorted(sessions["client"].tolist()) == list(range(8))
    assert (sessions["close_code"] == 1000).all()
    assert not (tmp_path / "job.json").exists()


def test_a_client_that_is_cut_off_resumes_and_misses_nothing(tmp_path: Path) -> None:
    """The server closes every connection with 1012 during the run. Each client comes back, names its last seq, and gets
    the rest."""
    service = Service(cut_after=15)

    async def scenario() -> bool:
        async with serving(service) as address, a_fleet(address, tmp_path) as fleet:
            return await play(fleet)

    assert asyncio.run(scenario())
    assert len(service.resumed) == 8
    sessions = rows(tmp_path, "sessions")
    assert len(sessions) == 16
    assert (sessions["close_code"] == 1012).sum() == 8


def test_a_server_that_goes_away_in_mid_handshake_or_right_after_it_is_left(tmp_path: Path) -> None:
    """For two clients that come back, the server closes the connection before it answers. For a third one it stays
    silent. All three come back again."""
    service = Service(cut_after=15, to_trouble=(2, 1))

    async def scenario() -> tuple[bool, int]:
        async with serving(service) as address, a_fleet(address, tmp_path) as fleet:
            complete = await play(fleet)
            return complete, fleet.progress().subscribed

    assert asyncio.run(scenario()) == (True, 8)
    assert service.breaks_off == 0
    assert len(service.ignored) == 1
    assert len(service.resumed) == 8
    sessions = rows(tmp_path, "sessions")
    assert len(sessions) == 17
    assert (sessions["subscribed_ns"] == 0).sum() == 1
    assert len(rows(tmp_path, "deliveries")) == 128, "no client has two connections"


def test_a_repetition_hides_no_missing_delivery(tmp_path: Path) -> None:
    """One client gets a message twice, another never gets it. The number of deliveries is as expected, but the drain
    waits for the missing one until it is quiet."""
    service = Service()
    service.unfair_at = 20

    async def scenario() -> Drained:
        async with serving(service) as address, a_fleet(address, tmp_path) as fleet:
            return await drained(fleet)

    end = asyncio.run(scenario())
    assert len(rows(tmp_path, "deliveries")) == 128
    assert end.how is DrainEnd.QUIET
    assert end.quiet_s >= 2
    assert (end.deliveries_hz, end.unsubscribed) == (0, 0)


def test_a_client_whose_connection_is_gone_learns_it_before_the_drain_ends(tmp_path: Path) -> None:
    """The server dropped every connection without a close, and a ping detects this. The clients come back and get the
    rest. Otherwise the drain would end quiet and these deliveries would count as lost."""
    service = Service()
    service.deaf_after = 20

    async def scenario() -> bool:
        async with serving(service) as address, a_fleet(address, tmp_path) as fleet:
            return await play(fleet)

    assert asyncio.run(scenario())
    assert service.pings == 8
    assert len(service.resumed) == 8


def test_deliveries_of_a_rejected_message_stand_in_for_none(tmp_path: Path) -> None:
    """A refused message reaches four clients, and another message misses one client. The drain waits for the missing
    delivery."""
    service = Service()
    service.phantom_at = 20

    async def scenario() -> Drained:
        async with serving(service) as address, a_fleet(address, tmp_path) as fleet:
            return await drained(fleet)

    end = asyncio.run(scenario())
    assert (np.load(tmp_path / "arrays" / "posts.npy")["outcome"] == layout.REJECTED).sum() == 1
    assert end.how is DrainEnd.QUIET


def test_a_drain_in_which_deliveries_still_come_is_cut_off(tmp_path: Path) -> None:
    """The drain reaches its time limit before it is quiet. The result says that the drain was cut off."""
    service = Service()
    service.unfair_at = 20

    async def scenario() -> Drained:
        async with serving(service) as address, a_fleet(address, tmp_path) as fleet:
            return await drained(fleet, quiet_s=5, limit_s=1)

    end = asyncio.run(scenario())
    assert end.how is DrainEnd.CUT_OFF
    assert end.deliveries_hz > 0


@pytest.mark.parametrize("name", ["worker-01", "publisher"])
def test_a_process_that_dies_is_noticed_at_once(tmp_path: Path, name: str) -> None:
    """WorkerLost names the process and the signal. The fleet ends the other processes, and what was written is
    readable."""

    async def scenario() -> list[int]:
        async with serving(Service()) as address, a_fleet(address, tmp_path) as fleet:
            await fleet.connect(20)
            victim = next(process for process in fleet.components() if process.name == name)
            psutil.Process(victim.pid).kill()
            # Either of the two waits may notice the end first.
            with pytest.raises(WorkerLost, match=f"{name} .*SIGKILL"):
                await asyncio.gather(fleet.probe(20), fleet.posted(20))
            return [process.pid for process in fleet.components()]

    pids = asyncio.run(scenario())
    assert not any(psutil.pid_exists(pid) for pid in pids)
    rows(tmp_path, "heartbeat")


def test_servers_that_do_not_answer_are_an_error_with_a_reason(tmp_path: Path) -> None:
    """No server listens. The error says how many clients were connected, and why not more."""
    address = ServerAddress(name="server-1", host="127.0.0.1", port=1)

    async def scenario() -> None:
        async with a_fleet(address, tmp_path) as fleet:
            with pytest.raises(EnvironmentFailure, match=r"only 0 of 8 clients .* cannot connect"):
                await fleet.connect(2)

    asyncio.run(scenario())
