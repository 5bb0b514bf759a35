"""The network of one run: a bridge with a subnet of its own. Every part keeps its address in it."""

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import psutil

from harness.environments.docker.docker_engine import Engine, EngineFailure
from harness.model.errors import EnvironmentFailure

ATTEMPTS = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class RunNetwork:
    """``handle`` is the SDK's network; ``addresses`` are by part."""

    handle: Any
    name: str
    addresses: Mapping[str, str]

    @property
    def reachable(self) -> bool:
        """Whether this machine has the bridge itself and so reaches the containers' addresses. It does not if the
        engine runs in a virtual machine (Docker Desktop), in its own network namespace (rootless), or on another
        machine."""
        return f"br-{self.handle.id[:12]}" in psutil.net_if_addrs()


async def create_network(engine: Engine, name: str, labels: Mapping[str, str], parts: tuple[str, ...]) -> RunNetwork:
    """A network with an address for each of ``parts``. Raises EnvironmentFailure.

    The engine takes addresses for containers only in a network whose subnet was named. So the engine first chooses a
    free subnet, and then the harness makes the network again with that subnet. If another network takes it in between,
    both steps are repeated.
    """
    problem: EnvironmentFailure | None = None
    for _ in range(ATTEMPTS):
        found = await engine.call(engine.create_network, name, labels)
        await engine.call(found.reload)
        pool = next(pool for pool in found.attrs["IPAM"]["Config"] if ":" not in pool["Subnet"])
        await engine.call(found.remove)
        subnet = ipaddress.ip_network(pool["Subnet"])
        gateway = pool.get("Gateway") or str(subnet[1])
        try:
            handle = await engine.call(engine.create_network, name, labels, subnet=str(subnet), gateway=gateway)
        except EngineFailure as error:
            problem = error
            continue
        return RunNetwork(handle=handle, name=name, addresses=_assign(subnet, gateway, parts))
    raise EnvironmentFailure(f"no network for the run: {problem}")


def _assign(
    subnet: ipaddress.IPv4Network | ipaddress.IPv6Network, gateway: str, parts: tuple[str, ...]
) -> dict[str, str]:
    free = (str(address) for address in subnet.hosts() if str(address) != gateway)
    addresses = dict(zip(parts, free, strict=False))
    if len(addresses) < len(parts):
        raise EnvironmentFailure(
            f"the Docker engine gave the subnet {subnet}: expected room for {len(parts)} containers; "
            "widen `default-address-pools` in its daemon.json"
        )
    return addresses
