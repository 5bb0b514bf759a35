"""The effects of faults on a run, and the recovery of the cluster."""

from dataclasses import dataclass

from harness.model.fault import Fault


@dataclass(frozen=True, slots=True, kw_only=True)
class PostCounts:
    """The outcomes of the posts that were due in one span of time, and the acknowledgement latency from the intended
    time."""

    posted: int = 0
    acknowledged: int = 0
    rejected: int = 0
    indeterminate: int = 0
    ack_p50_ms: float | None = None
    ack_p99_ms: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PostsAround:
    """Measured posts by their intended time: before, during and after the outage."""

    before: PostCounts
    during: PostCounts
    after: PostCounts


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerRecovery:
    """The recovery of one server, by its own trace.

    ``detected_s`` counts from the beginning of the fault. ``resubscribed_s`` and ``backfilled_s`` count from the moment
    when the broken component was back; they are negative if they came before it. ``recovered``: messages that the
    server read from the database instead of from the backplane.
    """

    name: str
    detected_s: float | None = None
    resubscribed_s: float | None = None
    backfilled_s: float | None = None
    recovered: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconnections:
    """How many clients lost their connection, and how long they were without a subscription."""

    clients: int
    p50_s: float | None = None
    p99_s: float | None = None
    last_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rebroadcast:
    """The re-broadcast that the harness asked for: when, when the last server had answered, and how many messages."""

    asked_s: float
    answered_s: float | None = None
    messages: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerCount:
    """Posts that were not acknowledged, by the HTTP status of the answer; None for no answer."""

    http_status: int | None
    posts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovery:
    """The figures of a run with faults.

    Times in seconds are on the report's axis: 0 is when the first measured message was due, ``origin_ns`` on the
    harness's clock. ``faults`` are those of the plan, with their times. ``backfilled_s``: when the last delivery that a
    fault held up arrived, counted from the moment when the broken component was back. ``first_error_s`` and
    ``last_error_s``: when the first and the last post that was not acknowledged was due.
    """

    origin_ns: int
    faults: tuple[Fault, ...]
    posts: PostsAround
    servers: tuple[ServerRecovery, ...]
    reconnected: Reconnections | None = None
    rebroadcast: Rebroadcast | None = None
    backfilled_s: float | None = None
    first_error_s: float | None = None
    last_error_s: float | None = None
    errors: tuple[AnswerCount, ...] = ()

    def on_axis_s(self, at_ns: int | None) -> float | None:
        """A time of a fault on the report's axis; None stays None."""
        return None if at_ns is None else round((at_ns - self.origin_ns) / 1e9, 3)
