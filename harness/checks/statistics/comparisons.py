"""Several comparisons at once: with more comparisons, one of them is beyond its limit by chance more often."""

from collections.abc import Sequence

ERROR_RATE = 0.05


def holm(p_values: Sequence[float], error_rate: float = ERROR_RATE) -> tuple[bool, ...]:
    """Which hypotheses are rejected so that with probability ``error_rate`` at most a true one is among them, however
    the comparisons depend on each other (Holm, "A simple sequentially rejective multiple test procedure", Scandinavian
    Journal of Statistics 6, 1979)."""
    rejected = [False] * len(p_values)
    for rank, index in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        if p_values[index] > error_rate / (len(p_values) - rank):
            break
        rejected[index] = True
    return tuple(rejected)
