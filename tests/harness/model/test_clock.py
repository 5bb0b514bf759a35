"""Whether two processes read one clock is determined, not assumed."""

import pytest

from harness.model.clock import HostClock, KernelIdentity, clocks_of, same_kernel

HERE = KernelIdentity(boot_id="b1", time_namespace="time:[1]")


@pytest.mark.parametrize(
    ("boot_id", "namespace", "same"),
    [
        ("b1", "time:[1]", True),
        ("b1", "time:[2]", False),
        ("b2", "time:[1]", False),
        (None, "time:[1]", False),
        ("b1", None, False),
    ],
)
def test_one_kernel_is_the_same_boot_and_time_namespace(boot_id: str | None, namespace: str | None, same: bool) -> None:
    """Two processes read one clock only if both values are equal. An unknown value equals no other."""
    assert same_kernel(HERE, KernelIdentity(boot_id=boot_id, time_namespace=namespace)) is same


def test_two_unknown_kernels_are_not_the_same() -> None:
    """Two unknown values are not equal."""
    unknown = KernelIdentity(boot_id=None, time_namespace=None)
    assert not same_kernel(unknown, unknown)


def test_every_row_file_names_its_host() -> None:
    """Files of the load generator belong to the coordinator. Traces of a server belong to the host of the server."""
    there = HostClock(host="there", offset_ns=None, bound_ns=None, found="not known")
    clocks = clocks_of(workers=2, servers={0: there}, found="children")
    assert [clock.host for clock in clocks.hosts] == [clocks.coordinator, "there"]
    assert {clocks.files[f"{part}-00"] for part in ("accepted", "delivered", "backplane")} == {"there"}
    assert clocks.files["posts"] == clocks.files["deliveries-01"] == clocks.coordinator
