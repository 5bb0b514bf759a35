"""Environments: where a cluster can run, and what each of them can do."""

from dataclasses import dataclass

from harness.model.fault import FaultKind
from harness.model.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """``opener`` is the import path of the function that opens it (see `harness.environments.open_environment`).

    ``faults``: what it can inject into a component. ``owns_components``: the harness started the components, so it may
    break them and knows their processes. ``takes_addresses``: the cluster runs already and is named by its servers'
    addresses. ``takes_server_module``: the user's own Python module can run as a server; ``takes_server_image``: an image
    of the user's can (``image:NAME`` in the place of the module). ``problems`` is the import path
    of a function without parameters that lists, as sentences, what is missing on this machine; empty: nothing can be.
    ``relays``: it can put a relay into a link, so that faults of links are possible that only a relay makes.
    ``start_limit_s`` bounds the start of a cluster that plays in the background.
    """

    name: str
    title: str
    opener: str
    faults: tuple[FaultKind, ...]
    owns_components: bool
    takes_addresses: bool = False
    takes_server_module: bool = False
    takes_server_image: bool = False
    problems: str = ""
    relays: bool = False
    start_limit_s: float


ENVIRONMENTS: Registry[Environment] = Registry(
    "environment",
    (
        Environment(
            name="embedded",
            title="everything from Python wheels on this machine",
            opener="harness.environments.embedded.embedded_cluster:open_embedded",
            faults=(FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.RESTART),
            owns_components=True,
            takes_server_module=True,
            problems="harness.environments.embedded.ability:problems",
            relays=True,
            start_limit_s=60.0,
        ),
        Environment(
            name="docker",
            title="containers of a Docker engine",
            opener="harness.environments.docker.docker_cluster:open_docker",
            faults=(FaultKind.STOP, FaultKind.KILL, FaultKind.PAUSE, FaultKind.PARTITION, FaultKind.RESTART),
            owns_components=True,
            takes_server_image=True,
            # The first start pulls and builds images.
            start_limit_s=900.0,
        ),
        Environment(
            name="external",
            title="a cluster that already runs (--server)",
            opener="harness.environments.external:open_external",
            faults=(),
            owns_components=False,
            takes_addresses=True,
            problems="harness.environments.external:problems",
            start_limit_s=60.0,
        ),
    ),
)
