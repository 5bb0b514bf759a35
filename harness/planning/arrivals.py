"""The schedule: the time, channel and server of each post. It is open loop: no post waits for another."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.model.plan import Plan

PROBE, WARM_UP, MEASURED = 0, 1, 2
"""Phases. A probe per channel shows that every subscription works; warm-up runs at full rate and is not timed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """One entry per message, in order of time; all arrays of shape (messages,).

    ``offset_ns`` counts from the start of the warm-up; probes, which precede it, have offset 0 and are sent when the
    fleet asks for them. The message's index in these arrays is its identity in texts and recordings.
    """

    phase: NDArray[np.uint8]
    channel: NDArray[np.uint32]
    server: NDArray[np.uint16]
    offset_ns: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.phase)


def schedule(plan: Plan) -> Schedule:
    """The plan's schedule: evenly spaced at ``rate_hz``; channel and server are random, by the seed. In each round
    every channel has one message, in a new random order, so that message counts differ by at most one; the server of
    each message is chosen independently, as a load balancer without affinity does.
    """
    rng = np.random.default_rng(plan.seed)
    timed = max(1, round(plan.rate_hz * plan.duration_s))
    warm = round(plan.rate_hz * plan.warm_up_s)
    count = warm + timed
    rounds = -(-count // plan.channels)
    order = rng.permuted(np.tile(np.arange(plan.channels, dtype=np.uint32), (rounds, 1)), axis=1).reshape(-1)[:count]
    total = plan.channels + count
    phase = np.full(total, PROBE, np.uint8)
    phase[plan.channels :] = WARM_UP
    phase[plan.channels + warm :] = MEASURED
    channel = np.concatenate([np.arange(plan.channels, dtype=np.uint32), order])
    server = rng.integers(0, plan.servers, total).astype(np.uint16)
    offset = np.zeros(total, np.int64)
    offset[plan.channels :] = np.round(np.arange(count) * (1e9 / plan.rate_hz)).astype(np.int64)
    return Schedule(phase=phase, channel=channel, server=server, offset_ns=offset)
