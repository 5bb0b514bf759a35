"""The faults of a run, the parts that they hit, and their times: decided before the start and kept with the plan."""

from collections.abc import Iterable
from dataclasses import replace

import numpy as np

from harness.model.backplane import BACKPLANES
from harness.model.fault import CARRIERS, LINK_TARGETS, Fault, FaultKind, Moment, Target, Unit
from harness.model.plan import Plan
from harness.model.scenario import Scenario, Size
from harness.planning.arrivals import MEASURED, schedule
from harness.planning.request import Request

HALF = Moment(unit=Unit.SHARE, value=0.5)
THREE_QUARTERS = Moment(unit=Unit.SHARE, value=0.75)
POSTED = Moment(unit=Unit.POSTED)
SLOW_CONSUMER_SHARE = 0.01
SLOW_CONSUMER_DURATION_S = 30.0
"""If clients stop reading, the effect on other clients is judged by whole seconds inside the outage. A quarter of a run
of 10 s has only one such second, and its P99 depends on the machine as much as on the architecture."""
_STREAM = 0xFA
"""Keeps the draw of parts apart from every other draw of the same seed."""
_LINK_STREAM = 0xFB
"""The relay of a link is there before a pilot settles the number of clients: its draw may not depend on theirs."""


def settle(request: Request, scenario: Scenario, *, servers: int, clients: int) -> tuple[Fault, ...]:
    """The faults that are wanted, with the parts that they hit, drawn from the seed."""
    faults = wanted(request, scenario)
    return drawn(faults, seed=request.seed, servers=servers, clients=clients, backplane=request.backplane)


def drawn(faults: Iterable[Fault], *, seed: int, servers: int, clients: int, backplane: str) -> tuple[Fault, ...]:
    """``faults`` with the parts that they hit, drawn from the seed."""
    rng, link_rng = np.random.default_rng((seed, _STREAM)), np.random.default_rng((seed, _LINK_STREAM))
    links = BACKPLANES.get(backplane).link_names(servers)
    return tuple(
        replace(
            fault,
            parts=_links(fault.target, links, link_rng)
            if fault.target in LINK_TARGETS
            else _parts(fault.target, servers, clients, rng),
        )
        for fault in faults
    )


def wanted(request: Request, scenario: Scenario) -> tuple[Fault, ...]:
    """The scenario's faults with the options. ``--fault`` and ``--target`` change the first fault, or make one if the
    scenario has none.
    """
    faults = scenario.faults
    if request.fault or request.target or (request.outage_s is not None and faults):
        first = faults[0] if faults else Fault(kind=FaultKind.STOP, target=Target.BROKER, at=HALF, until=POSTED)
        faults = (_changed(first, request), *faults[1:])
    return faults


def default_duration_s(request: Request, own_s: float) -> float:
    """The measured seconds if no option gives them; ``own_s`` is the scenario's number."""
    if request.target is Target.CLIENTS and request.size is not Size.SMOKE:
        return max(own_s, SLOW_CONSUMER_DURATION_S)
    return own_s


def _changed(fault: Fault, request: Request) -> Fault:
    target = request.target or fault.target
    until = fault.until
    if request.outage_s is not None:
        until = Moment(unit=Unit.AFTER, value=request.outage_s)
    elif target not in CARRIERS:
        # What follows the outage is part of the question: posts must be taken again, clients be back.
        until = THREE_QUARTERS
    return replace(fault, kind=request.fault or fault.kind, target=target, until=until)


def _links(target: Target, links: tuple[str, ...], rng: np.random.Generator) -> tuple[str, ...]:
    return links if target is Target.LINKS else (links[int(rng.integers(len(links)))],)


def relayed_links(faults: Iterable[Fault], backplane: str) -> tuple[str, ...]:
    """The links that need a relay, each once: those that a fault breaks by means of it."""
    link = BACKPLANES.get(backplane).breakable
    found = (
        part
        for fault in faults
        if link is not None and fault.target in LINK_TARGETS and fault.kind in link.relayed
        for part in fault.parts
    )
    return tuple(dict.fromkeys(found))


def _parts(target: Target, servers: int, clients: int, rng: np.random.Generator) -> tuple[str, ...]:
    if target is Target.SERVER:
        return (f"server-{1 + int(rng.integers(servers))}",)
    if target is Target.SERVERS:
        return tuple(f"server-{number}" for number in range(1, servers + 1))
    if target is Target.CLIENTS:
        slow = rng.choice(clients, max(1, round(clients * SLOW_CONSUMER_SHARE)), replace=False)
        return tuple(f"client-{client}" for client in sorted(slow.tolist()))
    return (str(target),)


def offset_ns(plan: Plan, moment: Moment, began_ns: int | None = None) -> int | None:
    """When ``moment`` is, in ns from the schedule's offset 0 (the warm-up's first message).

    None for POSTED, which the schedule does not know. ``began_ns`` is the offset at which the fault began, for AFTER.
    """
    if moment.unit is Unit.POSTED:
        return None
    if moment.unit is Unit.AFTER:
        assert began_ns is not None, "AFTER is for the end of a fault"
        return began_ns + int(moment.value * 1e9)
    if moment.unit is Unit.SECOND:
        return int((plan.warm_up_s + moment.value) * 1e9)
    made = schedule(plan)
    measured = made.offset_ns[made.phase == MEASURED]
    number = moment.value * len(measured) if moment.unit is Unit.SHARE else moment.value - 1
    return int(measured[min(max(0, int(number)), len(measured) - 1)])
