"""How much later than the delivery a message was stored, and which messages were lost for that reason."""

from dataclasses import dataclass

from harness.model.measurements.percentiles import Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerLoss:
    """The messages that a killed server had acknowledged and that are missing in the database.

    ``expected`` is rate × lag (Little's law). ``rate_hz`` is what the plan posts to this server. ``lag_s`` is the time
    since its last COMMIT: the mean from publication to COMMIT before the first outage and, where the database was
    broken when the server was killed, the time since then. ``expected_low`` and ``expected_high``: with random servers
    for the messages, 95 % of the losses are between them. 0 if the write path commits first.
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
    """How many acknowledged messages that are missing in the database were lost at one hop."""

    hop: str
    messages: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Durability:
    """``lag``: first written to a socket → COMMIT, per message of the whole run; below zero if COMMIT came first.
    ``persist``: published → COMMIT, only if the write path publishes first. ``exposed_max``: the most messages that
    were delivered and not stored at one moment. Messages whose trace died with their server are in none of the three;
    they are counted in ``losses``, in ``not_stored_at`` and, if they were delivered, in ``exposed_max``."""

    lag: Percentiles | None = None
    persist: Percentiles | None = None
    exposed_max: int | None = None
    not_stored_at: tuple[NotStoredAt, ...] = ()
    losses: tuple[ServerLoss, ...] = ()
