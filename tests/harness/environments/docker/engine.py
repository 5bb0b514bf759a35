"""What tests look up in the Docker engine."""

from typing import Any

from harness.environments.docker.docker_engine import connect
from harness.environments.docker.owner import RUN


def things_of(run_id: str) -> list[str]:
    """Names of all containers and networks that carry the run's label."""
    filters = {"label": f"{RUN}={run_id}"}
    with connect() as engine:
        containers = engine.sdk.containers.list(all=True, filters=filters, ignore_removed=True)
        return [thing.name for thing in (*containers, *engine.sdk.networks.list(filters=filters))]


def inspected(run_id: str) -> list[dict[str, Any]]:
    """Everything that `docker inspect` shows of the run's containers."""
    with connect() as engine:
        found = engine.sdk.containers.list(all=True, filters={"label": f"{RUN}={run_id}"}, ignore_removed=True)
        return [container.attrs for container in found]


def volumes(attributes: list[dict[str, Any]]) -> set[str]:
    """Names of the volumes that these containers use."""
    return {mount["Name"] for each in attributes for mount in each["Mounts"] if mount["Type"] == "volume"}


def existing_volumes() -> set[str]:
    with connect() as engine:
        return {volume.name for volume in engine.sdk.volumes.list()}


def kill(run_id: str, part: str) -> None:
    """Kills a container without the harness."""
    with connect() as engine:
        (container,) = engine.sdk.containers.list(
            filters={"label": [f"{RUN}={run_id}", f"broadcast-harness.part={part}"]}
        )
        container.kill()
