"""CPU per delivery of the reference server's gateway, beside the kernel's lower bound and plain servers. One channel,
1,000 subscribers in a separate process, one message every 40 ms so that each is a separate write. The cost of accepting
and storing a message is measured without subscribers and subtracted: the rest is the fan-out.
"""

import asyncio
import subprocess
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import aiohttp
import psutil

from bench.floor import Floor
from bench.table import machine, show
from harness.environments import open_environment
from harness.environments.ports import free_ports
from harness.model.cluster import Topology

CONNECTIONS = 1_000
MESSAGES = 40
PAUSE_S = 0.04
ROUNDS = 5
TEXT = "x" * 95  # with the event around it: a frame of about 150 bytes
MARK = 1.4


@contextmanager
def readers(port: int, token: str) -> Any:
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.clients", "picows", str(port), str(CONNECTIONS), token],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        time.sleep(0.5)  # the last subscriptions are on their way
        yield
    finally:
        process.kill()
        process.communicate()


def cpu_s(pid: int) -> float:
    """CPU time of all threads of a process so far: from the scheduler's own count in ns where there is one."""
    try:
        return sum(int(path.read_text().split()[0]) for path in Path(f"/proc/{pid}/task").glob("*/schedstat")) / 1e9
    except (OSError, ValueError, IndexError):
        times = psutil.Process(pid).cpu_times()
        return float(times.user + times.system)


async def spent_s(pid: int, send: Any) -> float:
    """CPU seconds of ``pid`` over MESSAGES messages."""
    before = cpu_s(pid)
    for _ in range(MESSAGES):
        due_s = time.monotonic() + PAUSE_S
        await send()
        await asyncio.sleep(due_s - time.monotonic())
    await asyncio.sleep(0.2)
    return cpu_s(pid) - before


@asynccontextmanager
async def plain(kind: str) -> AsyncIterator[tuple[int, int, Any]]:
    """(port, pid, send) of a plain server."""
    (port,) = free_ports(1)
    # Errors of a peer when its readers disconnect at the end do not concern speed.
    process = subprocess.Popen([sys.executable, "-m", "bench.servers", kind, str(port)], stderr=subprocess.DEVNULL)
    try:
        async with aiohttp.ClientSession() as session:
            for _ in range(200):
                try:
                    async with session.get(f"http://127.0.0.1:{port}/"):
                        break
                except aiohttp.ClientError:
                    await asyncio.sleep(0.05)
            body = '{"type":"message","channel":"bench","seq":1000,"text":"' + TEXT + '"}'
            if kind == "websockets":
                async with session.ws_connect(f"http://127.0.0.1:{port}/v1/ws", compress=0) as poster:
                    yield port, process.pid, lambda: poster.send_str("!" + body)
            else:

                async def post() -> None:
                    async with session.post(f"http://127.0.0.1:{port}/broadcast", data=body) as response:
                        assert response.status == 200

                yield port, process.pid, post
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def reference() -> AsyncIterator[tuple[int, int, Any, str]]:
    """(port, pid, send, token) of the reference server, alone, with the in-memory backplane."""
    topology = Topology(servers=1, backplane="memory", write_path="db-first", run_id="bench")
    with TemporaryDirectory() as folder:
        async with open_environment("embedded", topology=topology, folder=Path(folder), say=print) as cluster:
            server = cluster.servers[0]
            pid = next(process.pid for process in cluster.components if process.role == "server")
            assert pid is not None
            headers = {"Authorization": f"Bearer {cluster.token}"}
            async with aiohttp.ClientSession(headers=headers) as session:

                async def post() -> None:
                    url = f"{server.url}/v1/chat.postMessage"
                    async with session.post(url, json={"channel": "bench", "text": TEXT}) as response:
                        assert response.status == 200

                yield server.port, pid, post, cluster.token


async def measure_reference() -> float:
    """µs per delivery."""
    async with reference() as (port, pid, post, token):
        for _ in range(10):
            await post()
        alone_s = await spent_s(pid, post)
        with readers(port, token):
            together_s = await spent_s(pid, post)
    return (together_s - alone_s) / (MESSAGES * CONNECTIONS) * 1e6


async def measure_plain(kind: str) -> float:
    async with plain(kind) as (port, pid, send):
        alone_s = 0.0
        if kind != "websockets":
            alone_s = await spent_s(pid, send)
        with readers(port, "none"):
            together_s = await spent_s(pid, send)
    return (together_s - alone_s) / (MESSAGES * CONNECTIONS) * 1e6


def main() -> bool:
    print(machine())
    floor = Floor()
    rounds: dict[str, list[float]] = {name: [] for name in ("C send()", "reference server")}
    peers = {"starlette": "Starlette send_text", "aiohttp": "aiohttp send_str", "websockets": "websockets broadcast()"}
    rounds |= {name: [] for name in peers.values()}
    for _ in range(ROUNDS):
        if found := floor.measure(CONNECTIONS, MESSAGES, PAUSE_S):
            rounds["C send()"].append(found["send_us"])
        rounds["reference server"].append(asyncio.run(measure_reference()))
        for kind, name in peers.items():
            rounds[name].append(asyncio.run(measure_plain(kind)))
    title = f"gateway: CPU per delivery, {CONNECTIONS:,} connections, one message per write, {ROUNDS} rounds in turn"
    return show(title, "µs", rounds, base="C send()", mark=("reference server", MARK))


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
