"""Which clock each server of a cluster reads, by the kernel."""

import os

from harness.components.kernel import kernel_of
from harness.model.clock import Clocks, HostClock, clocks_of, same_kernel
from harness.model.cluster import Cluster
from harness.model.component import LOCAL_HOST, Role

SHARED = "shared"
"""What an environment writes into ``versions["clock"]`` after it compared the clocks itself."""


def find_clocks(cluster: Cluster, *, workers: int) -> Clocks:
    """The clocks of a run on ``cluster`` whose load generator are processes of this machine.

    If the environment compared the clocks itself, its answer counts: the pid of a container in a virtual machine is not
    valid on this machine. Otherwise a server has the coordinator's clock if its process is in the same boot and time
    namespace. If not, its offset is not known; an address alone does not prove it.
    """
    here = kernel_of(os.getpid())
    pids = {part.name: part.pid for part in cluster.components if part.role is Role.SERVER and part.pid is not None}
    compared = cluster.versions.get("clock")
    servers: dict[int, HostClock] = {}
    for index in range(len(cluster.servers)):
        name = f"server-{index + 1}"
        if compared == SHARED:
            found = "the environment compared the server's clock, or its boot and time namespace, with the harness's"
            servers[index] = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found=found)
        elif compared is None and name in pids and same_kernel(here, kernel_of(pids[name])):
            found = "same boot and same time namespace as the harness"
            servers[index] = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found=found)
        else:
            found = "not known: the server runs on another kernel, or its process cannot be seen"
            servers[index] = HostClock(host=name, offset_ns=None, bound_ns=None, found=found)
    return clocks_of(workers=workers, servers=servers, found="the load workers are children of the harness")
