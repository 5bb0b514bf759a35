"""The settings of one reference server (`reference_server/settings.py`), the same in every environment."""

from collections.abc import Mapping
from typing import Any

from harness.model.cluster import Topology

Address = Mapping[str, Any]
"""``host``, ``port`` and the credentials, or files that hold them (``password_file``)."""


def server_settings(
    topology: Topology, *, name: str, host: str, port: int, token: Address, database: Address, broker: Address | None
) -> dict[str, Any]:
    """``token`` is ``{"token": …}`` or ``{"token_file": …}``; ``broker`` is None for a backplane that needs none."""
    return {
        "name": name,
        "host": host,
        "port": port,
        **token,
        "postgres": dict(database),
        "backplane": {"name": topology.backplane, **(broker or {})},
        "write_path": topology.write_path,
        "recovery": topology.recovery,
        # Where nothing is asked for, the database's own setting stands.
        **({} if topology.synchronous_commit else {"synchronous_commit": False}),
    }
