"""When to flush: at once while it is quiet, with a pause in between when it is busy."""

QUIET_S = 0.001
LONGEST_PAUSE_S = 0.025
PAUSE_PER_COST = 2.0
WEIGHT = 0.2


class Pacing:
    """The rule: pause = 0 while a flush costs less than 1 ms, else twice its cost, at most 25 ms.

    A write to a socket costs some 10 µs whether it carries one message or fifty, so under load messages must share writes.
    Pausing twice the cost of a flush keeps writing to a third of the time: the rest remains for posts, reading and other
    processes, and while we pause messages gather for the next write. The worst it adds is 25 ms, a quarter of the budget of
    100 ms. Cost is the time a flush took plus how late the pause before it ended, which shows the load of everything else
    on the loop and on the processor; smoothed, so that one hiccup does not slow the next messages.
    """

    def __init__(self) -> None:
        self.cost_s = 0.0

    def pause_after(self, flush_s: float, lateness_s: float) -> float:
        self.cost_s += WEIGHT * (flush_s + lateness_s - self.cost_s)
        return 0.0 if self.cost_s < QUIET_S else min(LONGEST_PAUSE_S, PAUSE_PER_COST * self.cost_s)
