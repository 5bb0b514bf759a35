"""Times of two hosts are compared within the bound of their clock offset. If the bound is not known, they are not
compared."""

from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence.host_clocks import UNKNOWN_NS, HostClocks
from harness.model.clock import Clocks, HostClock
from harness.model.finding import Status
from harness.model.measurements.claims import Outcome
from harness.recording import format as layout
from tests.harness.checks.run.test_resilience import broken
from tests.harness.recordings import MS, HandMade, finding, measured, red

HOSTS = HostClocks(
    Clocks(
        coordinator="here",
        hosts=(
            HostClock(host="here", offset_ns=0, bound_ns=0, found=""),
            HostClock(host="there", offset_ns=-500, bound_ns=20, found=""),
            HostClock(host="elsewhere", offset_ns=None, bound_ns=None, found=""),
        ),
        files={"posts": "here", "accepted-00": "there", "accepted-01": "elsewhere"},
    )
)
HERE, THERE, ELSEWHERE = (HOSTS.of_file(name) for name in ("posts", "accepted-00", "accepted-01"))


def elapsed(since: int, host: int, until: int, other: int) -> tuple[int, int]:
    found = HOSTS.elapsed_ns(np.array([since]), host, np.array([until]), other)
    return int(found.low[0]), int(found.high[0])


def test_one_host_needs_no_offset() -> None:
    """Two times of one host are compared exactly, even if nothing is known about its clock."""
    for host in (HERE, THERE, ELSEWHERE):
        assert elapsed(100, host, 130, host) == (30, 30)


def test_a_known_offset_gives_an_interval() -> None:
    """The clock of the other host is 500 ahead, give or take 20."""
    assert elapsed(100, HERE, 630, THERE) == (10, 50)
    assert elapsed(630, THERE, 100, HERE) == (-50, -10)


def test_an_unknown_offset_leaves_everything_open() -> None:
    """The interval contains 0 and every possible duration of a run. The same holds for a file that clocks.json does not
    name."""
    for other in (ELSEWHERE, HOSTS.of_file("accepted-07")):
        low, high = elapsed(100, HERE, 10**18, other)
        assert low < -(10**16) < 10**18 < high
        assert not HOSTS.comparable(HERE, other)
        assert HOSTS.bound_ns(HERE, other) >= UNKNOWN_NS


def test_no_clocks_are_not_one_clock() -> None:
    """In a recording without clocks.json no two files can be compared."""
    clocks = HostClocks(None)
    assert not clocks.comparable(clocks.of_file("posts"), clocks.of_file("accepted-00"))
    assert not clocks.comparable(clocks.coordinator, clocks.of_file("posts"))


def two_hosts(bound_ns: int | None) -> HandMade:
    """A healthy cluster. The host of the second server has a clock that is 500 s ahead; the offset is known within
    ``bound_ns``, or not known if that is None."""
    run = HandMade(clock_offsets_ns={1: 500_000 * MS})
    if bound_ns is not None:
        run.clock_bounds_ns = {1: bound_ns}
    for _ in range(300):
        run.post(0)
    return run


def test_a_healthy_cluster_on_two_hosts_is_not_accused(tmp_path: Path) -> None:
    """The offset is not known. `commit-order` is UNKNOWN, steps across hosts are left out by name, and no claim uses
    them. Everything else is judged as before."""
    verdict = two_hosts(None).verdict(tmp_path)
    found = finding(verdict, "commit-order")
    assert found.status is Status.UNKNOWN
    assert "clocks" in found.summary
    assert red(verdict) == set()
    steps = measured(verdict).steps
    assert steps is not None
    assert steps.left_out == ("ingest", "fan_out", "push")
    assert (steps.ingest, steps.fan_out, steps.push) == (None, None, None)
    assert steps.commit is not None
    assert (steps.commit.count, steps.commit.p99_ms) == (300, 1)
    outcomes = {claim.step: claim.status for claim in verdict.claims}
    assert outcomes["fan_out"] is outcomes["push"] is Outcome.NOT_REACHED
    assert outcomes["commit"] is outcomes["total"] is Outcome.SUPPORTED
    assert finding(verdict, "latency_ms.p99").status is Status.PASS


def test_a_wrong_order_within_one_host_is_red_on_two(tmp_path: Path) -> None:
    """A server that publishes before COMMIT is found out by its own times, which are both of one clock."""
    run = two_hosts(None)
    run.post(0, published_ms=1.2, committed_ms=2)
    assert red(run.verdict(tmp_path)) == {"commit-order"}


def test_a_closely_known_offset_decides(tmp_path: Path) -> None:
    """With a bound of 50 µs everything is decided as on one host. A wrong order across the hosts is found."""
    run = two_hosts(50_000)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "commit-order").status is Status.PASS
    steps = measured(verdict).steps
    assert steps is not None
    assert steps.left_out == ()
    assert steps.clock_bound_ms == 0.05
    assert steps.fan_out is not None
    assert steps.fan_out.p99_ms == 0.5
    assert steps.push is not None
    assert steps.push.p99_ms == 2
    run.post(0)
    run.post(0, answered_ms=1, committed_ms=2)
    assert red(run.verdict(tmp_path)) == {"commit-order"}


def test_an_offset_known_too_coarsely_decides_nothing(tmp_path: Path) -> None:
    """With a bound of 5 ms it is not known whether COMMIT or the answer came first."""
    assert finding(two_hosts(5 * MS).verdict(tmp_path), "commit-order").status is Status.UNKNOWN


def test_without_clocks_a_recording_is_not_taken_for_one_clock(tmp_path: Path) -> None:
    """Checks that compare times of two files are UNKNOWN."""
    run = HandMade(clocks_found=False)
    for _ in range(300):
        run.post(0)
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "commit-order").status is Status.UNKNOWN
    assert finding(verdict, "latency_ms.p99").status is Status.UNKNOWN
    assert red(verdict) == set()


@pytest.mark.parametrize(("bound_ns", "status"), [(None, Status.UNKNOWN), (1_000, Status.PASS)])
def test_a_server_on_another_clock_is_compared_with_the_outage_only_if_known(
    tmp_path: Path, bound_ns: int | None, status: Status
) -> None:
    """Without the offset of the server's clock, the time of its new subscription is not known."""
    run = broken()
    run.clock_offsets_ns = {1: 500_000 * MS}
    run.clock_bounds_ns = {} if bound_ns is None else {1: bound_ns}
    verdict = run.verdict(tmp_path)
    assert finding(verdict, "resubscribed").status is status
    recovery = measured(verdict).recovery
    assert recovery is not None
    assert (recovery.servers[1].detected_s is None) is (bound_ns is None)
    assert recovery.servers[0].detected_s == 0.001
    run.backplane[1] = [(layout.UP, -5.0), (layout.SUBSCRIBED, -4.0)]
    assert ("resubscribed" in red(run.verdict(tmp_path))) is (bound_ns is not None)
