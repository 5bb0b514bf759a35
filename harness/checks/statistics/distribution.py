"""Percentiles, their uncertainty, and what a count of zero proves."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.model.measurements.percentiles import Percentiles

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Pieces = Callable[[], Iterable[tuple[Ints, Ints]]]
Counts = NDArray[np.uint32]

QUANTILES = (0.50, 0.95, 0.99, 0.999, 1.0)
"""those of `Percentiles`, in the order of its fields"""
RESAMPLES = 500
PIECE_ROWS = 1 << 17
"""What is worked on at once: small enough for a processor's cache, and for the memory allocator to reuse."""

_SUB_BITS = 6
_LOWEST_EXPONENT = 16
_BINS = (42 - _LOWEST_EXPONENT) << _SUB_BITS
"""Values are binned by their first seven binary digits: bins of 0.8 to 1.6 %, from 2^16 ns (65 µs; all below share the
first) to 2^42 ns (73 minutes; all above share the last)."""
_FIRST = (1023 + _LOWEST_EXPONENT) << _SUB_BITS


class Distribution:
    """Percentiles of values in nanoseconds that come in groups (seconds), of any number of them.

    ``pieces`` gives them as often as it is called, as arrays of (values, groups). They are never in memory all at once: a
    first pass counts them by group and bin, a second pass finds the exact value in its bin. So a percentile is the smallest
    value with at least that share of all values at or below it (nearest rank): a latency that really happened.
    """

    def __init__(self, pieces: Pieces, counts: Counts) -> None:
        self._pieces = pieces
        self._counts = counts
        self._summary: Percentiles | None = None

    @classmethod
    def count(cls, pieces: Pieces, groups: int) -> "Distribution":
        """Of all that ``pieces`` gives, in groups 0 … ``groups`` - 1."""
        counts = np.zeros((groups, _BINS), np.uint32)
        for values, group in pieces():
            if len(values):
                low, high = int(group.min()), int(group.max()) + 1
                found = np.bincount((group - low) * _BINS + _bin(values), minlength=(high - low) * _BINS)
                counts[low:high] += found.reshape(-1, _BINS).astype(np.uint32)
        return cls(pieces, counts)

    @classmethod
    def of(cls, values_ns: Ints, groups: Ints | None = None) -> "Distribution":
        """Of one array, in one group or in ``groups``."""

        def pieces() -> Iterable[tuple[Ints, Ints]]:
            for start in range(0, len(values_ns), PIECE_ROWS):
                piece = values_ns[start : start + PIECE_ROWS]
                yield piece, np.zeros(len(piece), np.int64) if groups is None else groups[start : start + PIECE_ROWS]

        return cls.count(pieces, 1 if groups is None else int(groups.max(initial=-1)) + 1)

    def within(self, groups: Bools) -> "Distribution":
        """The part of it that is in these groups, shape (groups,)."""

        def pieces() -> Iterable[tuple[Ints, Ints]]:
            for values, group in self._pieces():
                inside = groups[group]
                yield values[inside], group[inside]

        return Distribution(pieces, np.where(groups[:, None], self._counts, np.uint32(0)))

    def __len__(self) -> int:
        return int(self._counts.sum(dtype=np.int64))

    @property
    def groups(self) -> int:
        return len(self._counts)

    def percentiles(self) -> Percentiles:
        """The usual percentiles; only a count of 0 where there are no values."""
        if self._summary is None:
            self._summary = Percentiles()
            if len(self):
                p50, p95, p99, p999, highest = self.quantiles_ms(QUANTILES)
                self._summary = Percentiles(
                    count=len(self), p50_ms=p50, p95_ms=p95, p99_ms=p99, p999_ms=p999, max_ms=highest
                )
        return self._summary

    def quantiles_ms(self, quantiles: tuple[float, ...]) -> list[float]:
        """Exact quantiles over all groups. There must be values."""
        together = self._counts.sum(axis=0, dtype=np.int64)
        at, rest = _locate(together, quantiles)
        wanted = np.zeros(_BINS, np.bool_)
        wanted[at] = True
        found, cells = self._look_up(np.broadcast_to(wanted, self._counts.shape))
        bins = cells % _BINS
        return [to_ms(_nth(found[bins == bin_], index)) for bin_, index in zip(at, rest, strict=True)]

    def quantiles_by_group_ms(self, quantiles: tuple[float, ...]) -> list[list[float | None]]:
        """Exact quantiles of each group; None where it has no values."""
        located = {
            group: _locate(self._counts[group], quantiles)
            for group in np.flatnonzero(self._counts.any(axis=1)).tolist()
        }
        wanted = np.zeros(self._counts.shape, np.bool_)
        for group, (at, _) in located.items():
            wanted[group, at] = True
        found, cells = self._look_up(wanted)
        order = np.argsort(cells, kind="stable")
        found, cells = found[order], cells[order]
        rows: list[list[float | None]] = [[None] * len(quantiles) for _ in range(self.groups)]
        for group, (at, rest) in located.items():
            for column, (bin_, index) in enumerate(zip(at, rest, strict=True)):
                low, high = np.searchsorted(cells, (group * _BINS + bin_, group * _BINS + bin_ + 1))
                rows[group][column] = to_ms(_nth(found[low:high], index))
        return rows

    def curve_ms(self, quantiles: tuple[float, ...]) -> list[float]:
        """Quantiles to the width of a bin (1.6 % at most): for a plot, where no more can be seen. There must be values."""
        at, _ = _locate(self._counts.sum(axis=0, dtype=np.int64), quantiles)
        return [to_ms(_middle_ns(bin_)) for bin_ in at]

    def interval_ms(self, quantile: float, *, seed: int, confidence: float = 0.95) -> tuple[float, float] | None:
        """A confidence interval for ``quantile`` by block bootstrap over the groups; None for fewer than 5.

        Deliveries of one message, and of neighbouring messages, share their fate, so whole seconds are drawn with
        replacement, not single values (Künsch, "The jackknife and the bootstrap for general stationary observations",
        Annals of Statistics 17, 1989). Its ends are accurate to the width of a bin.
        """
        # Empty groups before the first value are no part of the window asked about.
        first = int(np.argmax(self._counts.any(axis=1))) if self.groups else 0
        counts = self._counts[first:]
        used = np.flatnonzero(counts.any(axis=1))
        count = int(used[-1]) + 1 if len(used) else 0
        if count < 5:
            return None
        counts = counts[:count]
        low, high = np.flatnonzero(counts.any(axis=0))[[0, -1]]
        drawn = np.random.default_rng(seed).multinomial(count, np.full(count, 1 / count), RESAMPLES)
        cumulated = np.cumsum(drawn @ counts[:, low : high + 1].astype(np.float64), axis=1)
        reached = cumulated >= np.ceil(quantile * cumulated[:, -1:])
        ends = np.quantile(reached.argmax(axis=1) + low, [(1 - confidence) / 2, (1 + confidence) / 2])
        return to_ms(_middle_ns(ends[0])), to_ms(_middle_ns(ends[1]))

    def _look_up(self, wanted: Bools) -> tuple[Ints, NDArray[np.int32]]:
        """All values in the wanted cells, shape (groups, bins), and the cell of each: group * _BINS + bin."""
        flat = np.ascontiguousarray(wanted).ravel()
        values, cells = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
        for piece, group in self._pieces():
            cell = group * _BINS + _bin(piece)
            hit = np.flatnonzero(flat[cell])
            values.append(piece[hit])
            cells.append(cell[hit].astype(np.int32))
        return np.concatenate(values), np.concatenate(cells)


def _bin(values_ns: Ints) -> Ints:
    """The first digits of a double are its exponent and the beginning of its mantissa: a logarithm for free."""
    first_digits = np.maximum(values_ns, 1).astype(np.float64).view(np.int64) >> (52 - _SUB_BITS)
    bins: Ints = np.clip(first_digits - _FIRST, 0, _BINS - 1)
    return bins


def _middle_ns(bin_: float) -> float:
    octave, part = divmod(bin_ + 0.5, 1 << _SUB_BITS)
    return float(2 ** (octave + _LOWEST_EXPONENT) * (1 + part / (1 << _SUB_BITS)))


def _locate(counts: NDArray[Any], quantiles: tuple[float, ...]) -> tuple[list[int], list[int]]:
    """For each quantile its bin, and its rank among the values of that bin."""
    cumulated = np.cumsum(counts, dtype=np.int64)
    total = int(cumulated[-1])
    at, rest = [], []
    for quantile in quantiles:
        rank = max(0, int(np.ceil(quantile * total)) - 1)
        bin_ = int(np.searchsorted(cumulated, rank, side="right"))
        at.append(bin_)
        rest.append(rank - (int(cumulated[bin_ - 1]) if bin_ else 0))
    return at, rest


def _nth(values: Ints, index: int) -> int:
    return int(np.partition(values, index)[index])


def percentiles(values_ns: Ints) -> Percentiles:
    """`Distribution.percentiles` of one array."""
    return Distribution.of(values_ns).percentiles()


def quantiles_ms(values_ns: Ints, quantiles: tuple[float, ...]) -> list[float]:
    """`Distribution.quantiles_ms` of one array, which must not be empty."""
    ranks = [max(0, int(np.ceil(quantile * len(values_ns))) - 1) for quantile in quantiles]
    ordered = np.partition(values_ns, sorted(set(ranks)))
    return [to_ms(ordered[rank]) for rank in ranks]


def to_ms(value_ns: Any) -> float:
    return round(float(value_ns) / 1e6, 3)


def loss_bound(pairs: int) -> str:
    """What "0 lost of ``pairs``" proves: with 95 % confidence the rate is below 3 / n (the rule of three; Hanley and
    Lippman-Hand, JAMA 249, 1983)."""
    return f"rate < {3 / pairs:.1e} at 95 %" if pairs else "no evidence"
