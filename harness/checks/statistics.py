"""Percentiles, their uncertainty, and what a count of zero proves. Plain functions on arrays."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]

QUANTILES = {"p50": 0.50, "p95": 0.95, "p99": 0.99, "p999": 0.999}
RESAMPLES = 500
BINS_PER_DECADE = 200


def summary_ms(values_ns: Ints) -> dict[str, float | int]:
    """Exact percentiles of ``values_ns`` in milliseconds, with ``max`` and ``count``; only ``count`` where it is empty.

    A percentile is the smallest value with at least that share of the samples at or below it (nearest rank), so it is
    always a latency that really happened.
    """
    if not len(values_ns):
        return {"count": 0}
    found = quantiles_ms(values_ns, tuple(QUANTILES.values()))
    summary: dict[str, float | int] = dict(zip(QUANTILES, found, strict=True))
    return summary | {"max": to_ms(values_ns.max()), "count": len(values_ns)}


def quantiles_ms(values_ns: Ints, quantiles: tuple[float, ...]) -> list[float]:
    """Nearest-rank quantiles in milliseconds. ``values_ns`` must not be empty."""
    ranks = [max(0, int(np.ceil(quantile * len(values_ns))) - 1) for quantile in quantiles]
    ordered = np.partition(values_ns, sorted(set(ranks)))
    return [to_ms(ordered[rank]) for rank in ranks]


def to_ms(value_ns: Any) -> float:
    return round(float(value_ns) / 1e6, 3)


def bootstrap_quantile_ms(
    values_ns: Ints, blocks: Ints, quantile: float, *, seed: int, confidence: float = 0.95
) -> tuple[float, float] | None:
    """A confidence interval for ``quantile`` by block bootstrap, in milliseconds; None for fewer than 5 blocks.

    ``blocks`` numbers the block (second) of each value, shape as ``values_ns``. Deliveries of one message, and of
    neighbouring messages, share their fate, so whole seconds are drawn with replacement, not single values (Künsch,
    "The jackknife and the bootstrap for general stationary observations", Annals of Statistics 17, 1989). Values are
    binned to 1.2 % for this, which only the interval's ends feel.
    """
    count = int(blocks.max(initial=-1)) + 1
    if count < 5:
        return None
    bins = np.maximum(np.log10(np.maximum(values_ns, 1)) * BINS_PER_DECADE, 0).astype(np.int64)
    width = int(bins.max()) + 1
    histogram = np.bincount(blocks * width + bins, minlength=count * width).reshape(count, width)
    drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
    cumulated = np.cumsum(drawn @ histogram, axis=1)
    reached = cumulated >= np.ceil(quantile * cumulated[:, -1:])
    found_ns = 10 ** ((reached.argmax(axis=1) + 0.5) / BINS_PER_DECADE)
    low, high = np.quantile(found_ns, [(1 - confidence) / 2, (1 + confidence) / 2])
    return to_ms(low), to_ms(high)


def loss_bound(pairs: int) -> str:
    """What "0 lost of ``pairs``" proves: with 95 % confidence the rate is below 3 / n (the rule of three; Hanley and
    Lippman-Hand, JAMA 249, 1983)."""
    return f"rate < {3 / pairs:.1e} at 95 %" if pairs else "no evidence"
