"""The settings of one reference server (`reference_server/settings.py`), the same in every environment."""

from collections.abc import Mapping
from typing import Any

from harness.model.backplane import BACKPLANES
from harness.model.cluster import Topology

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
    bind: str = "127.0.0.1",
) -> dict[str, Any]:
    """``links``: the address for links of other servers, by the server's name; ``bind`` is the address on which it
    listens for them.

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
            **_links(topology, name, links, bind),
            **dict(topology.backplane_settings),
        },
        "write_path": topology.write_path,
        "recovery": topology.recovery,
        # Without a request the database keeps its own setting.
        **({} if topology.synchronous_commit else {"synchronous_commit": False}),
    }


def _links(topology: Topology, name: str, links: Mapping[str, tuple[str, int]], bind: str) -> dict[str, Any]:
    if not BACKPLANES.get(topology.backplane).links_servers:
        return {}
    peers = [{"name": peer, "host": host, "port": port} for peer, (host, port) in links.items() if peer != name]
    return {"host": bind, "port": links[name][1], "peers": peers}
