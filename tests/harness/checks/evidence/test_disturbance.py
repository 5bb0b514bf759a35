"""Which deliveries a fault disturbed. All others must be as fast as without a fault."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from harness.checks.evidence.disturbance import (
    NEVER,
    Disturbance,
    Outage,
    broken_servers,
    outages,
    timed_faults,
    unlinked_servers,
)
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from tests.harness.checks.evidence.gathered import gathered
from tests.harness.checks.run.outages import HIT
from tests.harness.recordings import MS, START_NS, HandMade

BEGUN_MS, BACK_MS = 1_000.0, 2_000.0


def a_fault(target: Target = Target.BROKER, kind: FaultKind = FaultKind.STOP) -> Fault:
    moment = Moment(unit=Unit.SECOND, value=1)
    return Fault(kind=kind, target=target, at=moment, until=moment, parts=HIT[target])


def run_with(target: Target, *, back: bool = True, traced: bool = True, recovery: str = "automatic") -> HandMade:
    """Six messages, 10 ms apart. The fault begins a second after the first message and is healed a second later."""
    run = HandMade(
        clients=2,
        traced=traced,
        outage_ms=(BEGUN_MS, BACK_MS),
        changes={"faults": (a_fault(target),), "recovery": recovery},
    )
    for _ in range(6):
        run.post(0)
    return run


def found_in(run: HandMade, folder: Path) -> Disturbance:
    found = gathered(run, folder).disturbance
    assert found is not None
    return found


def test_without_a_fault_nothing_is_disturbed(tmp_path: Path) -> None:
    """A planned fault that never began disturbs nothing either."""
    assert gathered(HandMade(), tmp_path).disturbance is None
    never = run_with(Target.BROKER)
    never.outage_ms = None
    assert gathered(never, tmp_path).disturbance is None


def test_faults_have_the_times_of_their_events(tmp_path: Path) -> None:
    """Each outage has the times of its fault. A fault without times has no outage."""
    recording = run_with(Target.BROKER).recording(tmp_path)
    (fault,) = timed_faults(recording)
    assert fault.times is not None
    assert fault.times.begun_ns == START_NS + 1_000 * MS
    (outage,) = outages([fault])
    assert (outage.begun_ns, outage.back_ns) == (START_NS + 1_000 * MS, START_NS + 2_000 * MS)
    assert outages([a_fault()]) == []


@pytest.mark.parametrize(
    ("kind", "back_ns", "over_ns"),
    [(FaultKind.STOP, 30, 30), (FaultKind.PARTITION, 30, 50), (FaultKind.PARTITION, NEVER, NEVER)],
)
def test_a_partition_lasts_as_long_again(kind: FaultKind, back_ns: int, over_ns: int) -> None:
    """TCP doubles its wait with every attempt, so a partition disturbs for as long again. A partition that is never
    healed never ends."""
    assert Outage(fault=a_fault(kind=kind), begun_ns=10, back_ns=back_ns).over_ns == over_ns


def test_the_broken_servers_are_those_that_faults_name() -> None:
    """The servers are given by index, each once. Faults of other parts name no server."""
    servers = [a_fault(Target.SERVERS), a_fault(Target.SERVER), a_fault(Target.DATABASE)]
    assert broken_servers(servers) == [0, 0, 1]
    assert broken_servers([]) == []


@pytest.mark.parametrize(
    ("target", "traced", "held_up"),
    [
        (Target.DATABASE, True, [True] * 6),
        (Target.BROKER, True, [False] * 6),
        (Target.BROKER, False, [True] * 6),
        (Target.SERVER, True, [True, False] * 3),
        (Target.CLIENTS, True, [False] * 6),
    ],
)
def test_what_is_broken_decides_which_messages_it_holds_up(
    tmp_path: Path, target: Target, traced: bool, held_up: Sequence[bool]
) -> None:
    """Six messages are due just before the fault. The database holds up all of them. The broker holds up none, or all
    where there are no traces; a server holds up those that it was to accept; clients hold up none."""
    found = found_in(run_with(target, traced=traced), tmp_path)
    assert found.held_up.tolist() == list(held_up)


@pytest.mark.parametrize(("target", "away"), [(Target.CLIENTS, [True, False]), (Target.SERVER, [True, False])])
def test_a_client_is_away_while_it_or_its_server_is_broken(tmp_path: Path, target: Target, away: list[bool]) -> None:
    """Client 0 does not read, or server-1, to which it is connected, is broken."""
    found = found_in(run_with(target), tmp_path)
    assert (found.away_from < found.away_until).tolist() == away


@pytest.mark.parametrize(
    ("target", "cut_off"),
    [
        (Target.BROKER, None),
        (Target.LINK, [[True] * 6, [False] * 6]),
        (Target.LINKS, [[False, True] * 3, [True, False] * 3]),
    ],
)
def test_a_broken_link_cuts_off_what_had_to_pass_it(
    tmp_path: Path, target: Target, cut_off: list[list[bool]] | None
) -> None:
    """Server-1 and server-2 post in turn. A broken link from server-1 to the database cuts all messages off from
    server-1 alone. A broken link between the two servers cuts each server off from the messages of the other."""
    found = found_in(run_with(target), tmp_path).cut_off
    assert (None if found is None else found.tolist()) == cut_off


def test_what_was_cut_off_is_disturbed() -> None:
    """The deliveries to the clients of the server that was cut off are disturbed, and no others."""
    found = Disturbance(
        intended_ns=np.array([10, 20]),
        window=np.array([False, False]),
        held_up=np.array([False, False]),
        away_from=np.array([NEVER, NEVER]),
        away_until=np.array([0, 0]),
        recovered=None,
        cut_off=np.array([[False, False], [True, False]]),
    )
    message, client = np.array([0, 0, 1]), np.array([0, 1, 1])
    assert found.of(message, client, server=client).tolist() == [False, True, False]


def test_the_unlinked_servers_are_those_at_the_ends() -> None:
    """A database or a broker at an end of a link is not a server. Faults of other parts have no links."""
    assert unlinked_servers([a_fault(Target.LINK), a_fault(Target.SERVER)]) == {0}
    assert unlinked_servers([a_fault(Target.LINKS)]) == {0, 1}
    assert broken_servers([a_fault(Target.LINK)]) == []


def test_a_recovered_delivery_is_disturbed_only_around_the_fault() -> None:
    """Message 0 was due in the window and message 1 was not; server 1 read both from the database. Message 2 was held
    up. Message 3 was due while client 1 was away."""
    found = Disturbance(
        intended_ns=np.array([10, 90, 95, 50]),
        window=np.array([True, False, False, False]),
        held_up=np.array([False, False, True, False]),
        away_from=np.array([NEVER, 40]),
        away_until=np.array([0, 60]),
        recovered=np.array([[False] * 4, [True, True, False, False]]),
    )
    message, client = np.array([0, 0, 1, 2, 3, 3]), np.array([0, 1, 1, 0, 0, 1])
    assert found.of(message, client, server=client).tolist() == [False, True, False, True, False, True]
