"""Which clock each server of a cluster reads, found out from the kernel."""

import os
from pathlib import Path

from harness.model.clock import Clocks, HostClock, KernelIdentity, clocks_of, same_kernel
from harness.model.cluster import Cluster
from harness.model.component import LOCAL_HOST, Role

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
SHARED = "shared"
"""What an environment writes into ``versions["clock"]`` after it compared the clocks itself."""


def kernel_of(pid: int) -> KernelIdentity:
    """The identity of the kernel that runs process ``pid`` of this machine."""
    try:
        # Only a process that this kernel runs has a folder in /proc: its boot is the harness's own.
        boot_id, namespace = BOOT_ID.read_text().strip(), os.readlink(f"/proc/{pid}/ns/time")
    except OSError:
        return KernelIdentity(boot_id=None, time_namespace=None)
    return KernelIdentity(boot_id=boot_id, time_namespace=namespace)


def find_clocks(cluster: Cluster, *, workers: int) -> Clocks:
    """The clocks of a run on ``cluster`` whose load generator are processes of this machine.

    Where the environment compared the clocks itself, its answer counts: the pid of a container in a virtual machine says
    nothing here. Elsewhere a server has the coordinator's clock if its process is in the same boot and time namespace.
    Otherwise its offset is not known; an address alone proves nothing.
    """
    here = kernel_of(os.getpid())
    pids = {part.name: part.pid for part in cluster.components if part.role is Role.SERVER and part.pid is not None}
    compared = cluster.versions.get("clock")
    servers: dict[int, HostClock] = {}
    for index in range(len(cluster.servers)):
        name = f"server-{index + 1}"
        if compared == SHARED:
            found = "the server's clock was read between two readings of the harness's clock"
            servers[index] = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found=found)
        elif compared is None and name in pids and same_kernel(here, kernel_of(pids[name])):
            found = "same boot and same time namespace as the harness"
            servers[index] = HostClock(host=LOCAL_HOST, offset_ns=0, bound_ns=0, found=found)
        else:
            found = "not known: the server runs on another kernel, or its process cannot be seen"
            servers[index] = HostClock(host=name, offset_ns=None, bound_ns=None, found=found)
    return clocks_of(workers=workers, servers=servers, found="the load workers are children of the harness")
