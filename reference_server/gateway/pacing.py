"""When to flush: at once on a quiet server, with pauses on a busy one."""

QUIET_COST_S = 0.00025
QUIET_LATENESS_S = 0.002
LONGEST_PAUSE_S = 0.025
PAUSE_PER_COST = 8.0
PAUSE_PER_LATENESS = 2.0
WEIGHT = 0.2


class Pacing:
    """The rule: no pause while writing one channel costs less than 0.25 ms and the loop is less than 2 ms late.
    Otherwise the pause is eight times the cost plus twice the lateness, at most 25 ms.

    A write to a socket costs some 10 µs at either end, for one message or for fifty, so in a busy channel messages must
    share writes. A pause of eight times the cost limits writing to a ninth of the time, up to the longest pause. So
    several servers and their clients can share a machine, and messages collect for the next write. The pause adds a few
    milliseconds if a message goes to some hundred sockets, and at most 25 ms, a quarter of the budget of 100 ms. The
    cost counts per channel: messages of different channels go to different sockets, and waiting would not join their
    writes. Lateness is how much later than requested a pause ended; it shows the load of all other work on the loop and
    on the processor. Both are smoothed, so that one outlier does not slow the next flushes.
    """

    def __init__(self) -> None:
        self.cost_s = 0.0
        self.lateness_s = 0.0

    def pause_after(self, channel_s: float, lateness_s: float) -> float:
        """The pause after a flush that took ``channel_s`` for each channel in it."""
        self.cost_s += WEIGHT * (channel_s - self.cost_s)
        self.lateness_s += WEIGHT * (lateness_s - self.lateness_s)
        if self.cost_s < QUIET_COST_S and self.lateness_s < QUIET_LATENESS_S:
            return 0.0
        return min(LONGEST_PAUSE_S, PAUSE_PER_COST * self.cost_s + PAUSE_PER_LATENESS * self.lateness_s)
