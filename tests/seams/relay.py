"""An extension of the harness that exists only in test code: a kind of broker, a backplane and an environment.

The harness imports it through HARNESS_EXTENSIONS. The broker ``relay`` is a separate program that sends every received
line to all its connections. tests/reference_server/made_up_server.py has the server's side of the backplane. The
environment ``nursery`` starts child processes like ``embedded`` and can inject one kind of fault.
"""

import asyncio
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from harness.components.adapter import Counters
from harness.environments.embedded.child import Child
from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.environments.embedded.start import Start, on_free_port
from harness.environments.part import Part
from harness.model.backplane import BACKPLANES, Backplane
from harness.model.child_process import python_program
from harness.model.cluster import Endpoint, Topology
from harness.model.component import COMPONENT_KINDS, ComponentKind, Role
from harness.model.environment import ENVIRONMENTS, Environment
from harness.model.fault import FaultKind

KIND = "relay"
MODULE = "tests.seams.relay"


class RelayAdapter:
    errors: tuple[type[Exception], ...] = ()

    async def refusal(self, endpoint: Endpoint) -> str | None:
        try:
            _, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
        except OSError as error:
            return str(error)
        writer.close()
        return None

    async def no_access(self, endpoint: Endpoint, table: str) -> str | None:
        return None

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        return {"program": KIND}

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> "RelaySampler":
        return RelaySampler()


class RelaySampler:
    async def sample(self) -> Counters:
        return {"net_out_bytes": 1.0}

    async def close(self) -> None:
        pass


async def start_relay(start: Start) -> Part[Child]:
    def make(port: int) -> tuple[Child, Endpoint]:
        child = Child(
            start.name, Role.BROKER, KIND, python_program(MODULE, str(port)), log=start.log, guard=start.guard
        )
        return child, Endpoint(kind=KIND, host="127.0.0.1", port=port, password="")

    return await on_free_port(start, make, port_taken="in use", limit_s=10)


def open_nursery(
    topology: Topology, *, logs: Path, say: Callable[[str], None]
) -> AbstractAsyncContextManager[EmbeddedCluster]:
    say("the nursery opens")
    return embedded(topology, logs=logs)


async def relay(port: int) -> None:
    """The broker's program."""
    writers: set[asyncio.StreamWriter] = set()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.add(writer)
        try:
            async for line in reader:
                for other in writers:
                    other.write(line)
        finally:
            writers.discard(writer)
            writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port) as server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(relay(int(sys.argv[1])))
else:
    COMPONENT_KINDS.add(
        ComponentKind(
            name=KIND,
            role=Role.BROKER,
            title="Relay",
            adapter=f"{MODULE}:RelayAdapter",
            starters={"embedded": f"{MODULE}:start_relay", "nursery": f"{MODULE}:start_relay"},
            variable="HARNESS_RELAY",
            schemes=("relay",),
            example="relay://HOST:PORT",
            default_port=7_000,
        )
    )
    BACKPLANES.add(Backplane(name=KIND, title="lines through a relay", broker=KIND))
    ENVIRONMENTS.add(
        Environment(
            name="nursery",
            title="child processes with one kind of fault",
            opener=f"{MODULE}:open_nursery",
            faults=(FaultKind.PAUSE,),
            owns_components=True,
            takes_server_module=True,
            start_limit_s=30.0,
        )
    )
