"""CPU per delivery of the load worker, beside the kernel's lower bound and other WebSocket clients. 2,000 connections
in one channel, a message every 100 ms, one write per message. The sender is a separate process and the same for all;
only the receiving process is measured. The lower bound is a C program that waits with epoll and receives without
reading the bytes. The load worker is the real one: it verifies every frame and writes every row.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from bench.floor import Floor
from bench.gateway import cpu_s
from bench.table import machine, show
from harness.environments.ports import free_ports
from harness.load.engine.job import Job
from harness.model.cluster import ServerAddress
from harness.model.plan import Calibration, Need, Plan
from harness.model.scenario import Size

CONNECTIONS = 2_000
MESSAGES = 30
PAUSE_S = 0.1
ROUNDS = 5
RUN_ID = "rbench000"
TEXT_BYTES = 80  # with the event around it: a frame of about 150 bytes
MARK = 1.6
FLOOR = Floor()


def a_plan() -> Plan:
    """One channel with all clients in it, one worker."""
    return Plan(
        scenario="bench",
        title="",
        claim="",
        servers=1,
        clients=CONNECTIONS,
        rate_hz=10.0,
        audience=CONNECTIONS,
        asked_audience="all",
        channels=1,
        duration_s=10.0,
        warm_up_s=0.0,
        text_bytes=TEXT_BYTES,
        workers=1,
        size=Size.SMOKE,
        environment="external",
        backplane="redis",
        write_path="db-first",
        seed=1,
        run_id=RUN_ID,
        expectations=(),
        reductions=(),
        need=Need(cores=0, memory_bytes=0, descriptors_per_process=0, ports_per_server=0, disk_bytes=0),
        calibration=Calibration(per_write_s=0, per_frame_s=0, per_post_s=0, per_hint_s=0),
        forced=False,
        command=(),
    )


@contextmanager
def sender() -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """(port, process) of bench.sender."""
    (port,) = free_ports(1)
    process = subprocess.Popen(
        [sys.executable, "-m", "bench.sender", str(port), RUN_ID, str(TEXT_BYTES)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield port, process
    finally:
        process.kill()
        process.communicate()


@contextmanager
def receiver(kind: str, port: int, folder: Path) -> Iterator[int]:
    """The pid of a receiving process whose clients are all subscribed."""
    if kind == "load worker":
        (folder / "arrays").mkdir()
        address = ServerAddress(name="server-1", host="127.0.0.1", port=port)
        job = Job(
            name="worker-00",
            module="harness.load.worker",
            plan=a_plan(),
            servers=(address,),
            token="none",
        )
        arguments = ["-m", job.module, str(folder / "arrays")]
    else:
        arguments = ["-m", "bench.clients", kind, str(port), str(CONNECTIONS), "none"]
    command = [sys.executable, *arguments]
    if kind == "floor":
        command = [str(FLOOR.program), "receive", str(port), str(CONNECTIONS)]
    process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdin is not None
    try:
        if kind == "load worker":
            process.stdin.write(msgspec.json.encode(job).decode() + '\n{"do":"connect"}\n')
            process.stdin.flush()
            while json.loads(process.stdout.readline()).get("subscribed", 0) < CONNECTIONS:
                pass
            process.stdin.write(json.dumps({"do": "start", "start_ns": time.monotonic_ns()}) + "\n")
            process.stdin.flush()
            # Its reports continue and must be read: a full pipe would block the worker.
            threading.Thread(target=process.stdout.read, daemon=True).start()
        else:
            assert process.stdout.readline().strip() == "ready"
        yield process.pid
    finally:
        process.kill()
        process.wait()
        process.stdin.close()


def measure(kind: str) -> float:
    """µs per delivery."""
    with TemporaryDirectory() as folder, sender() as (port, sending), receiver(kind, port, Path(folder)) as pid:
        assert sending.stdin is not None
        assert sending.stdout is not None
        time.sleep(1.0)
        idle_from_s, idle_cpu_s = time.monotonic(), cpu_s(pid)
        time.sleep(1.0)
        # The work without deliveries (heartbeat, reports) is not counted as their cost.
        idle_rate = (cpu_s(pid) - idle_cpu_s) / (time.monotonic() - idle_from_s)
        began_s, before_s = time.monotonic(), cpu_s(pid)
        sending.stdin.write(f"{MESSAGES} {PAUSE_S}\n")
        sending.stdin.flush()
        assert sending.stdout.readline().strip() == "sent"
        time.sleep(1.0)
        spent_s = cpu_s(pid) - before_s - idle_rate * (time.monotonic() - began_s)
        if kind == "load worker":
            # The figure counts only if every delivery was written.
            rows = (Path(folder) / "arrays" / "deliveries-00.npy").stat().st_size // 16
            assert rows >= MESSAGES * CONNECTIONS, f"expected {MESSAGES * CONNECTIONS} rows, found {rows}"
    return spent_s / (MESSAGES * CONNECTIONS) * 1e6


def main() -> bool:
    print(machine())
    kinds = {"floor": "C epoll + recv()"} if FLOOR.program else {}
    kinds |= {"load worker": "load worker", "picows": "bare picows", "aiohttp": "aiohttp", "websockets": "websockets"}
    rounds: dict[str, list[float]] = {name: [] for name in kinds.values()}
    for _ in range(ROUNDS):
        for kind, name in kinds.items():
            rounds[name].append(measure(kind))
    title = (
        f"load worker: CPU per delivery, {CONNECTIONS:,} connections, one message per write, {ROUNDS} rounds in turn"
    )
    return show(title, "µs", rounds, base="C epoll + recv()", mark=("load worker", MARK))


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
