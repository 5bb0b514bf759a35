"""Where a cluster runs. Each environment is an async context manager: the cluster runs inside the block and is always
removed after it."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from harness.model.cluster import Cluster, Topology
from harness.model.environment import ENVIRONMENTS
from harness.model.registry import load


def open_environment(
    name: str, *, topology: Topology, folder: Path, say: Callable[[str], None]
) -> AbstractAsyncContextManager[Cluster]:
    """The environment ``name``, not yet started. Logs of its processes go to ``folder``/logs; ``say`` gets a sentence
    for each step that takes long (an image is built).

    Raises UsageError for a name that is not in the registry. Entering it raises EnvironmentFailure with the reason and
    the last lines of the log if the cluster cannot start.
    """
    opened: AbstractAsyncContextManager[Cluster] = load(ENVIRONMENTS.get(name).opener)(
        topology, logs=folder / "logs", say=say
    )
    return opened
