"""Where a cluster runs. Each environment is an async context manager: up inside, gone outside, whatever happens."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from harness.model.cluster import Cluster, Topology
from harness.model.errors import UsageError
from harness.protocol import open_protocol


def open_environment(
    name: str, *, topology: Topology, folder: Path, server_urls: tuple[str, ...], say: Callable[[str], None]
) -> AbstractAsyncContextManager[Cluster]:
    """The environment ``name``, not yet started. Logs of its processes go to ``folder``/logs; ``say`` is told of steps
    that take long (an image is built).

    Entering it raises EnvironmentFailure with the reason and the last lines of the log where the cluster cannot start.
    """
    if name == "embedded":
        from harness.environments.embedded.embedded_cluster import embedded

        return embedded(topology, logs=folder / "logs")
    if name == "external":
        from harness.environments.external import external

        return external(server_urls, open_protocol(topology.protocol))
    if name == "docker":
        from harness.environments.docker.docker_cluster import docker_cluster

        return docker_cluster(topology, logs=folder / "logs", say=say)
    raise UsageError(f"environment {name!r}: comes later; this version has embedded, docker and external")
