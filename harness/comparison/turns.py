"""In which order two builds take their turns: both in every round, who begins is drawn."""

import random
from enum import StrEnum


class Side(StrEnum):
    BASE = "base"
    RUN = "run"


def turns(rounds: int, seed: int) -> tuple[tuple[int, Side], ...]:
    """(round from 1, side). Each side is first in half of the rounds, one more for an odd number, so that what gets slower
    from hour to hour, or from first to second run, burdens both alike."""
    first = [Side.BASE, Side.RUN] * ((rounds + 1) // 2)
    if rounds % 2:
        # The odd round goes to either with the same chance.
        first.pop(random.Random(seed).randrange(2))  # noqa: S311 - an order of runs, not a secret
    random.Random(seed + 1).shuffle(first)  # noqa: S311
    return tuple(
        (number, side)
        for number, leader in enumerate(first, 1)
        for side in (leader, Side.RUN if leader is Side.BASE else Side.BASE)
    )
