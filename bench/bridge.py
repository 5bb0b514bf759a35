"""What a container's bridge network costs against loopback: CPU of the whole machine per message, and the round trip.

The same few lines of Python echo on this machine and in a container of the engine, and the same sender speaks to both in
turn, so that only the way between them differs: a bridge, a veth pair and the packet filter's rules.
"""

import contextlib
import os
import socket
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import psutil

from bench.table import machine, show
from harness.environments.docker.docker_engine import Engine, connect
from harness.environments.ports import free_ports
from harness.model.errors import EnvironmentFailure

CONNECTIONS = 50
MESSAGES = 40_000
ROUND_TRIPS = 3_000
ROUNDS = 5
IMAGE = "python:3.13-slim"
PORT = 7_000
PAYLOAD = b"x" * 150
ECHO = """
import selectors, socket, sys
selector = selectors.DefaultSelector()
listener = socket.create_server((sys.argv[1], int(sys.argv[2])), backlog=128)
selector.register(listener, selectors.EVENT_READ)
while True:
    for key, _ in selector.select():
        if key.fileobj is listener:
            peer, _ = listener.accept()
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            selector.register(peer, selectors.EVENT_READ)
        else:
            data = key.fileobj.recv(65536)
            if data:
                key.fileobj.sendall(data)
            else:
                selector.unregister(key.fileobj)
                key.fileobj.close()
"""


@contextmanager
def on_loopback() -> Iterator[tuple[str, int]]:
    (port,) = free_ports(1)
    process = subprocess.Popen([sys.executable, "-c", ECHO, "127.0.0.1", str(port)])
    try:
        yield "127.0.0.1", port
    finally:
        process.kill()
        process.wait()


@contextmanager
def on_the_bridge(engine: Engine) -> Iterator[tuple[str, int]]:
    container = engine.sdk.containers.run(
        IMAGE,
        ["python", "-c", ECHO, "0.0.0.0", str(PORT)],
        detach=True,
        labels={"broadcast-harness.bench": str(os.getpid())},
    )
    try:
        container.reload()
        networks = container.attrs["NetworkSettings"]["Networks"]
        yield next(iter(networks.values()))["IPAddress"], PORT
    finally:
        container.remove(force=True, v=True)


def open_connections(address: tuple[str, int], count: int) -> list[socket.socket]:
    found: list[socket.socket] = []
    deadline_s = time.monotonic() + 10
    while len(found) < count:
        try:
            connection = socket.create_connection(address, timeout=5)
        except OSError:
            if time.monotonic() > deadline_s:
                raise
            time.sleep(0.05)
            continue
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        found.append(connection)
    return found


def busy_s() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.steal - times.guest - times.guest_nice)


def cpu_us(address: tuple[str, int]) -> float:
    """CPU µs of the whole machine for one message there and back: each connection writes before any is read."""
    connections = open_connections(address, CONNECTIONS)
    try:
        before = busy_s()
        for _ in range(MESSAGES // CONNECTIONS):
            for connection in connections:
                connection.send(PAYLOAD)
            for connection in connections:
                left = len(PAYLOAD)
                while left:
                    left -= len(connection.recv(left))
        return (busy_s() - before) / MESSAGES * 1e6
    finally:
        for connection in connections:
            connection.close()


def round_trip_us(address: tuple[str, int]) -> float:
    """Median µs of one message there and back, one at a time."""
    (connection,) = open_connections(address, 1)
    with contextlib.closing(connection):
        times = []
        for _ in range(ROUND_TRIPS):
            began = time.perf_counter_ns()
            connection.send(PAYLOAD)
            connection.recv(4_096)
            times.append((time.perf_counter_ns() - began) / 1e3)
    return statistics.median(times)


def main() -> bool:
    print(machine())
    try:
        engine = connect()
    except EnvironmentFailure as error:
        print(f"\nleft out: {error}")
        return True
    cpu: dict[str, list[float]] = {"loopback": [], "bridge": []}
    trips: dict[str, list[float]] = {"loopback": [], "bridge": []}
    with engine, on_loopback() as near, on_the_bridge(engine) as far:
        for _ in range(ROUNDS):
            for name, address in (("loopback", near), ("bridge", far)):
                cpu[name].append(cpu_us(address))
                trips[name].append(round_trip_us(address))
    title = f"a container's bridge against loopback, {len(PAYLOAD)} bytes there and back (Docker {engine.version})"
    show(title, "CPU µs", cpu, base="loopback", mark=("", 0))
    show("the same, one message at a time", "median µs", trips, base="loopback", mark=("", 0))
    return True


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
