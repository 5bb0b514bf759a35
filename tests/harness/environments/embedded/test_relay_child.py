"""Relays as processes, and what a fault does to their link."""

import asyncio
import contextlib
from contextlib import AsyncExitStack
from pathlib import Path

import psutil
import pytest

from harness.environments.embedded import child_faults
from harness.environments.embedded.link_relay import HOST
from harness.environments.embedded.relay_child import start_relays
from harness.environments.guard import Guard
from harness.environments.ports import free_ports
from harness.model.component import Role
from harness.model.fault import FaultKind


async def _echo(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        with contextlib.suppress(OSError):
            while data := await reader.read(1_000):
                writer.write(data)
    finally:
        writer.close()


def test_a_link_is_held_open_cut_and_made_again(tmp_path: Path) -> None:
    """While the relay is frozen, connections stay open and new ones are accepted, but nothing passes. After the heal
    everything passes. When the relay is killed, the connection ends and new ones are refused. A restarted relay has the
    same port. At the end no process is left."""

    async def main() -> int | None:
        port, beyond = free_ports(2)
        async with AsyncExitStack() as down, asyncio.timeout(30):
            guard = down.enter_context(Guard())
            await down.enter_async_context(await asyncio.start_server(_echo, HOST, beyond))
            link = ("server-2_server-1", port, (HOST, beyond))
            ((name, (place, part)),) = (await start_relays([link], logs=tmp_path, guard=guard, down=down)).items()
            assert (name, part.process.component.role) == ("server-2_server-1", Role.HARNESS)
            reader, writer = await asyncio.open_connection(*place)
            await child_faults.inject(part, FaultKind.PAUSE)
            _, second = await asyncio.open_connection(*place)
            writer.write(b"held up")
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.2):
                    await reader.read(1)
            await child_faults.heal(part, FaultKind.PAUSE)
            assert await reader.readexactly(7) == b"held up"
            await child_faults.inject(part, FaultKind.KILL)
            assert await reader.read() == b""
            with pytest.raises(ConnectionRefusedError):
                await asyncio.open_connection(*place)
            assert part.process.casualty() is None
            await child_faults.heal(part, FaultKind.KILL)
            again, third = await asyncio.open_connection(*place)
            third.write(b"again")
            assert await again.readexactly(5) == b"again"
            for each in (writer, second, third):
                each.close()
            return part.process.component.pid

    pid = asyncio.run(main())
    assert pid is not None
    assert not psutil.pid_exists(pid)
