"""The container of NATS, from the public image."""

from harness.environments.docker.recipe import SECRETS, Recipe
from harness.environments.nats_settings import USER, nats_settings
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS, Role

NATS_IMAGE = "nats:2"
KIND = "nats"


def nats_recipe(name: str, password: str, topology: Topology) -> Recipe:
    """NATS with the settings of the embedded one."""
    port = COMPONENT_KINDS.get(KIND).default_port
    # 0.0.0.0: the container's own network, which only this run's containers are on.
    return Recipe(
        name=name,
        role=Role.BROKER,
        kind=KIND,
        image=NATS_IMAGE,
        port=port,
        user=USER,
        command=("--config", f"/{SECRETS}/nats.conf"),
        # All addresses: those of the container's own network, which only this run's containers are on.
        files={f"{SECRETS}/nats.conf": nats_settings(host="0.0.0.0", port=port, password=password)},  # noqa: S104
    )
