"""How the wait for the last deliveries ends."""

from dataclasses import dataclass
from enum import StrEnum

QUIET_S = 5.0
"""After this long without a new delivery, no delivery is on its way: the drain ends."""
RUNS_AT_MOST = 3.0
LIMIT_S_AT_LEAST = 60.0
"""While deliveries still arrive the drain continues, for at most three times the run (warm-up and measured window) or
60 s, whichever is longer: a cluster that needs more time is far overloaded. Without a new delivery it ends after
`QUIET_S`, or after 60 s if clients have no subscription."""


class DrainEnd(StrEnum):
    """Why it ended."""

    COMPLETE = "complete"
    """every delivery that may come had arrived"""
    QUIET = "quiet"
    """no new delivery came for `QUIET_S`, while every client was subscribed and every load worker reported"""
    CUT_OFF = "cut-off"
    """it took too long"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drained:
    """The end of the drain. ``quiet_s``: since the last new delivery, while every load worker reported.
    ``deliveries_hz``: new deliveries per second of the last `QUIET_S`. ``unsubscribed``: clients without a
    subscription."""

    how: DrainEnd
    quiet_s: float
    deliveries_hz: float
    unsubscribed: int


def drain_limit_s(run_s: float) -> float:
    """How long the drain of a run of ``run_s`` may take."""
    return max(LIMIT_S_AT_LEAST, RUNS_AT_MOST * run_s)
