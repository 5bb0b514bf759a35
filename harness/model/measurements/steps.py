"""How long each step of a message took."""

from dataclasses import dataclass

from harness.model.measurements.percentiles import Percentiles


@dataclass(frozen=True, slots=True, kw_only=True)
class StepLatencies:
    """Percentiles of each step over the measured window. None if the step was not measured.

    ``ingest``: intended time → a server accepts the post. ``commit``: → COMMIT is confirmed. ``publish``: → the message
    is handed to the backplane. These three are per message. ``fan_out``: published → a server with subscribers receives
    the message, per message and server. ``push``: received by the server → received by its client, per delivery.
    ``total``: intended time → received by a client, per delivery. If the write path publishes first, there is no
    ``commit``, ``publish`` and ``fan_out`` begin when a server accepts the post, and ``persist`` is from publication to
    COMMIT, per message.

    ``left_out`` names the steps that begin and end on hosts whose clocks cannot be compared, ``negative`` those that
    took less than no time, by more than the clocks explain: neither is measured. ``clock_bound_ms`` is the largest
    error of a sample of the other steps that clocks of different hosts can cause; 0 on one kernel.
    """

    ingest: Percentiles | None = None
    commit: Percentiles | None = None
    publish: Percentiles | None = None
    fan_out: Percentiles | None = None
    push: Percentiles | None = None
    persist: Percentiles | None = None
    total: Percentiles | None = None
    left_out: tuple[str, ...] = ()
    negative: tuple[str, ...] = ()
    clock_bound_ms: float = 0.0
