"""The settings of one reference server (`reference_server/settings.py`), the same in every environment."""

from collections.abc import Mapping
from typing import Any

from harness.model.backplane import BACKPLANES
from harness.model.cluster import Topology
from harness.model.link import link_name

Address = Mapping[str, Any]
"""``host``, ``port`` and the credentials, or files that hold them (``password_file``)."""


def server_settings(
    topology: Topology,
    *,
    name: str,
    host: str,
    port: int,
    token: Address,
    database: Address,
    broker: Address | None,
    links: Mapping[str, tuple[str, int]] = {},
    relays: Mapping[str, tuple[str, int]] = {},
    bind: str = "127.0.0.1",
) -> dict[str, Any]:
    """``links``: where each server takes links of other servers, by its name; ``bind`` is where it listens for them.
    ``relays``: where the relay of a link takes connections, by the link's name (`harness.model.link`).

    ``token`` is ``{"token": …}`` or ``{"token_file": …}``; ``broker`` is None for a backplane that needs none."""
    return {
        "name": name,
        "host": host,
        "port": port,
        **token,
        # The database is the harness's own, without TLS: a driver that may try TLS reads keys from the user's home.
        "postgres": {**database, "sslmode": "disable"},
        "backplane": {
            "name": topology.backplane,
            **(broker or {}),
            **_links(topology, name, links, relays, bind),
            **_relayed(topology, name, relays),
            **dict(topology.backplane_settings),
        },
        "write_path": topology.write_path,
        "recovery": topology.recovery,
        # Without a request the database keeps its own setting.
        **({} if topology.synchronous_commit else {"synchronous_commit": False}),
    }


def _links(
    topology: Topology,
    name: str,
    links: Mapping[str, tuple[str, int]],
    relays: Mapping[str, tuple[str, int]],
    bind: str,
) -> dict[str, Any]:
    if not BACKPLANES.get(topology.backplane).links_servers:
        return {}
    places = {peer: relays.get(link_name(name, peer), place) for peer, place in links.items() if peer != name}
    peers = [{"name": peer, "host": host, "port": port} for peer, (host, port) in places.items()]
    return {"host": bind, "port": links[name][1], "peers": peers}


def _relayed(topology: Topology, name: str, relays: Mapping[str, tuple[str, int]]) -> dict[str, Any]:
    """Where the server's link to the database goes through a relay: the relay's place."""
    backplane = BACKPLANES.get(topology.backplane)
    place = relays.get(link_name(name, str(backplane.carrier)))
    if place is None or backplane.breakable is None:
        return {}
    return dict(zip(backplane.breakable.address_settings, place, strict=True))
