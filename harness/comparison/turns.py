"""The order in which two builds take turns: both run in every round; which build begins is random."""

import random
from enum import StrEnum


class Side(StrEnum):
    BASE = "base"
    RUN = "run"


def turns(rounds: int, seed: int) -> tuple[tuple[int, Side], ...]:
    """(round from 1, side). Each side is first in half of the rounds, one more for an odd number, so that a slow-down
    from hour to hour, or from the first to the second run, affects both equally."""
    first = [Side.BASE, Side.RUN] * ((rounds + 1) // 2)
    if rounds % 2:
        # The odd round goes to each side with the same chance.
        first.pop(random.Random(seed).randrange(2))  # noqa: S311 - an order of runs, not a secret
    random.Random(seed + 1).shuffle(first)  # noqa: S311 - as above
    return tuple(
        (number, side)
        for number, leader in enumerate(first, 1)
        for side in (leader, Side.RUN if leader is Side.BASE else Side.BASE)
    )
