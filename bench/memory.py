"""Memory per WebSocket connection of the reference server and of the load worker, both real, beside the mark.

Resident memory before and after 5,000 clients are connected and subscribed. The kernel's memory is in neither.
"""

import asyncio
import sys
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil

from bench.load_worker import a_plan
from bench.table import machine
from harness.environments import open_environment
from harness.load.engine.local import LocalEngine
from harness.load.fleet import Fleet
from harness.model.cluster import Topology

CONNECTIONS = 5_000
MARK_KB = 70.0


def rss_bytes(pid: int | None) -> int:
    assert pid is not None
    return int(psutil.Process(pid).memory_info().rss)


async def measure(folder: Path) -> tuple[float, float]:
    """KB per connection: (server, load worker)."""
    topology = Topology(servers=1, backplane="redis", write_path="db-first", run_id="bench")
    plan = replace(a_plan(), clients=CONNECTIONS, audience=20, channels=CONNECTIONS // 20, environment="embedded")
    async with open_environment("embedded", topology=topology, folder=folder, say=print) as cluster:
        server = next(process.pid for process in cluster.components if process.role == "server")
        fleet = Fleet(plan=plan, servers=cluster.servers, token=cluster.token, engine=LocalEngine(folder))
        async with fleet:
            worker = next(process.pid for process in fleet.components() if process.name == "worker-00")
            await asyncio.sleep(2)
            before = rss_bytes(server), rss_bytes(worker)
            await fleet.connect(120)
            await fleet.probe(30)
            await asyncio.sleep(2)
            after = rss_bytes(server), rss_bytes(worker)
    return (after[0] - before[0]) / CONNECTIONS / 1e3, (after[1] - before[1]) / CONNECTIONS / 1e3


def main() -> bool:
    print(machine())
    with TemporaryDirectory() as folder:
        server_kb, worker_kb = asyncio.run(measure(Path(folder)))
    kept = server_kb + worker_kb <= MARK_KB
    print(f"\nmemory per connection, {CONNECTIONS:,} connections subscribed to channels of 20")
    print(f"{'reference server':34}{server_kb:10.1f} KB\n{'load worker':34}{worker_kb:10.1f} KB")
    print(f"{'both':34}{server_kb + worker_kb:10.1f} KB (mark {MARK_KB:g}: {'kept' if kept else 'missed'})")
    return kept


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
