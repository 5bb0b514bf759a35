"""How far storing was behind delivering, and what was lost for it."""

from dataclasses import dataclass

from harness.model.measurements.percentiles import Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLoss:
    """What the database lacks of the messages that a killed server had acknowledged.

    ``expected`` is rate × lag (Little's law). ``rate_hz`` is what the plan posts to this server. ``lag_s`` is the time
    since its last COMMIT: the mean from publication to COMMIT before the first outage and, where the database was broken
    when the server was killed, the time since then. ``expected_low`` and ``expected_high``: 95 % of draws of the server
    for each message lie between them. 0 where the write path commits first.
    """

    server: str
    killed_s: float
    rate_hz: float
    lag_s: float
    expected: float
    expected_low: float
    expected_high: float
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class NotStoredAt:
    """How many acknowledged messages that are not in the database one hop lost."""

    hop: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """``lag``: first written to a socket → COMMIT, per message of the whole run; below zero where COMMIT came first.
    ``persist``: published → COMMIT, only where the write path publishes first. ``exposed_max``: the most messages that were
    delivered and not stored at one moment. Messages whose trace died with their server are in none of the three; they are
    counted in ``losses``, in ``not_stored_at`` and, where they were delivered, in ``exposed_max``."""

    lag: Percentiles | None = None
    persist: Percentiles | None = None
    exposed_max: int | None = None
    not_stored_at: tuple[NotStoredAt, ...] = ()
    losses: tuple[ServerLoss, ...] = ()
