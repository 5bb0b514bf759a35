"""The channel, server and worker of each client. Pure arithmetic, the same for harness, workers and judge."""

import numpy as np
from numpy.typing import NDArray

from harness.model.plan import Plan


def channel_count(clients: int, audience: int) -> int:
    """Channels of exactly ``audience`` clients; the last one also has the remaining clients."""
    return max(1, clients // audience)


def client_channels(plan: Plan) -> NDArray[np.int64]:
    """The channel of each client, shape (clients,)."""
    return np.minimum(np.arange(plan.clients) // plan.audience, plan.channels - 1)


def client_servers(plan: Plan) -> NDArray[np.int64]:
    """The server of each client, shape (clients,); no server has more than one client more than another.

    ``spread``: neighbours are on different servers, so a channel is on as many servers as possible. ``local``:
    neighbours are on the same server, so a channel is on as few servers as balance allows.
    """
    clients = np.arange(plan.clients)
    return clients * plan.servers // plan.clients if plan.placement == "local" else clients % plan.servers


def client_workers(plan: Plan) -> NDArray[np.int64]:
    """The load worker of each client, shape (clients,). Every worker holds clients of every server."""
    if plan.placement == "local":
        servers = client_servers(plan)
        return (np.arange(plan.clients) - np.searchsorted(servers, servers)) % plan.workers
    return (np.arange(plan.clients) // plan.servers) % plan.workers


def audiences(plan: Plan) -> NDArray[np.int64]:
    """How many clients each channel has, shape (channels,)."""
    return np.bincount(client_channels(plan), minlength=plan.channels)
