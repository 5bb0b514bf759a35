"""The harness asks the kernel which clock a server reads."""

import os
from dataclasses import dataclass, field

from harness.components.kernel import kernel_of
from harness.model.cluster import ServerAddress
from harness.model.component import LOCAL_HOST, Component, Role
from harness.observation.clocks import find_clocks


@dataclass
class _Cluster:
    """The parts of a cluster that `find_clocks` reads."""

    components: list[Component]
    versions: dict[str, str] = field(default_factory=dict)
    servers: list[ServerAddress] = field(
        default_factory=lambda: [ServerAddress(name="server-1", host="127.0.0.1", port=1)]
    )


def bound_ns(cluster: _Cluster) -> int | None:
    """The bound of the first server's host."""
    clocks = find_clocks(cluster, workers=1)  # type: ignore[arg-type]  # the parts of a cluster that are read
    host = clocks.files["accepted-00"]
    assert (host == LOCAL_HOST) is (len(clocks.hosts) == 1)
    return next(clock.bound_ns for clock in clocks.hosts if clock.host == host)


def server(pid: int) -> Component:
    return Component(name="server-1", role=Role.SERVER, kind="reference_server", pid=pid)


def test_a_process_of_this_kernel_has_the_harness_clock() -> None:
    """The process has the same boot id and the same time namespace: the bound is 0."""
    assert bound_ns(_Cluster(components=[server(os.getpid())])) == 0


def test_a_process_that_cannot_be_seen_has_an_unknown_clock() -> None:
    """No process has that pid, so its kernel is unknown."""
    gone = 2**22 + 1
    assert kernel_of(gone).boot_id is None
    assert bound_ns(_Cluster(components=[server(gone)])) is None


def test_an_address_proves_nothing() -> None:
    """A server on the loopback interface may be a forwarded port."""
    assert bound_ns(_Cluster(components=[])) is None


def test_an_environment_that_compared_the_clocks_is_believed() -> None:
    """The pid of a container in a virtual machine may be the pid of another process here."""
    assert bound_ns(_Cluster(components=[server(os.getpid())], versions={"clock": "separate"})) is None
    assert bound_ns(_Cluster(components=[], versions={"clock": "shared"})) == 0
