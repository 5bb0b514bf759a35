"""Percentiles, their uncertainty, and the evidence of a count of zero."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.checks.statistics.interval import (
    BLOCKS_AT_MOST,
    SECONDS_AT_LEAST,
    PercentileInterval,
    design_effect,
    effective_messages,
    quantiles_around,
)
from harness.model.measurements.percentiles import Percentiles

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Pieces = Callable[[], Iterable[tuple[Ints, Ints]]]
Counts = NDArray[np.uint32]

QUANTILES = (0.50, 0.95, 0.99, 0.999, 1.0)
"""those of `Percentiles`, in the order of its fields"""
PIECE_ROWS = 1 << 17
"""How many values are processed at once: few enough for a processor's cache, and for the memory allocator to reuse."""

_SUB_BITS = 6
_LOWEST_EXPONENT = 16
_BINS = (42 - _LOWEST_EXPONENT) << _SUB_BITS
"""Values are binned by their first seven binary digits: bins of 0.8 to 1.6 %, from 2^16 ns (65 µs; all below share the
first) to 2^42 ns (73 minutes; all above share the last)."""
_FIRST = (1023 + _LOWEST_EXPONENT) << _SUB_BITS


class Distribution:
    """Percentiles of values in nanoseconds that come in groups (seconds), of any number of them.

    ``pieces`` gives them as often as it is called, as arrays of (values, groups). They are never in memory all at once:
    a first pass counts them by group and bin, a second pass finds the exact value in its bin. So a percentile is the
    smallest value with at least that share of all values at or below it (nearest rank): a measured latency.
    """

    def __init__(self, pieces: Pieces, counts: Counts, messages: int | None = None) -> None:
        self._pieces = pieces
        self._counts = counts
        self.messages = messages
        """of how many messages the values are; None if that is not known"""
        self._exact_ms: dict[float, float] = {}

    @classmethod
    def count(cls, pieces: Pieces, groups: int, messages: int | None = None) -> "Distribution":
        """Of all values of ``pieces``, in groups 0 … ``groups`` - 1."""
        counts = np.zeros((groups, _BINS), np.uint32)
        for values, group in pieces():
            if len(values):
                low, high = int(group.min()), int(group.max()) + 1
                found = np.bincount((group - low) * _BINS + _bin(values), minlength=(high - low) * _BINS)
                counts[low:high] += found.reshape(-1, _BINS).astype(np.uint32)
        return cls(pieces, counts, messages)

    @classmethod
    def of(cls, values_ns: Ints, groups: Ints | None = None) -> "Distribution":
        """Of one array, in one group or in ``groups``. Each value is of a message of its own."""

        def pieces() -> Iterable[tuple[Ints, Ints]]:
            for start in range(0, len(values_ns), PIECE_ROWS):
                piece = values_ns[start : start + PIECE_ROWS]
                yield piece, np.zeros(len(piece), np.int64) if groups is None else groups[start : start + PIECE_ROWS]

        return cls.count(pieces, 1 if groups is None else int(groups.max(initial=-1)) + 1, len(values_ns))

    def within(self, groups: Bools) -> "Distribution":
        """The part of it that is in these groups, shape (groups,). Its messages are taken to be its share of all
        values."""

        def pieces() -> Iterable[tuple[Ints, Ints]]:
            for values, group in self._pieces():
                inside = groups[group]
                yield values[inside], group[inside]

        part = Distribution(pieces, np.where(groups[:, None], self._counts, np.uint32(0)))
        if self.messages is not None and len(self):
            part.messages = round(self.messages * len(part) / len(self))
        return part

    def __len__(self) -> int:
        return int(self._counts.sum(dtype=np.int64))

    @property
    def groups(self) -> int:
        return len(self._counts)

    @property
    def groups_with_values(self) -> int:
        return int(self._counts.any(axis=1).sum())

    def percentiles(self) -> Percentiles:
        """The usual percentiles; only a count of 0 if there are no values."""
        if not len(self):
            return Percentiles()
        p50, p95, p99, p999, highest = self.quantiles_ms(QUANTILES)
        return Percentiles(
            count=len(self), messages=self.messages, p50_ms=p50, p95_ms=p95, p99_ms=p99, p999_ms=p999, max_ms=highest
        )

    def quantiles_ms(self, quantiles: tuple[float, ...]) -> list[float]:
        """Exact quantiles over all groups. There must be values; they are read once for each quantile not asked for
        yet."""
        missing = tuple(quantile for quantile in quantiles if quantile not in self._exact_ms)
        if missing:
            self._exact_ms.update(zip(missing, self._read_quantiles_ms(missing), strict=True))
        return [self._exact_ms[quantile] for quantile in quantiles]

    def _read_quantiles_ms(self, quantiles: tuple[float, ...]) -> list[float]:
        together = self._counts.sum(axis=0, dtype=np.int64)
        at, rest = _locate(together, quantiles)
        wanted = np.zeros(_BINS, np.bool_)
        wanted[at] = True
        found, bins = self._look_up(wanted)
        return [to_ms(_nth(found[bins == bin_], index)) for bin_, index in zip(at, rest, strict=True)]

    def quantiles_by_group_ms(self, quantiles: tuple[float, ...]) -> list[list[float | None]]:
        """Exact quantiles of each group; None if it has no values."""
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
        """Quantiles to the width of a bin (1.6 % at most): for a plot, where no more can be seen. There must be
        values."""
        at, _ = _locate(self._counts.sum(axis=0, dtype=np.int64), quantiles)
        return [to_ms(_lower_edge_ns(bin_ + 0.5)) for bin_ in at]

    def interval_ms(self, quantile: float) -> PercentileInterval | None:
        """The 95 % interval of ``quantile``; None where fewer than SECONDS_AT_LEAST groups have values, or the number
        of messages is not known.

        It contains the exact quantile. Its ends are rounded outwards to the edges of bins (1.6 % at most). The module
        ``interval`` says how it is found.
        """
        used = np.flatnonzero(self._counts.any(axis=1))
        if self.messages is None or min(self.messages, len(used)) < SECONDS_AT_LEAST:
            return None
        blocks = np.array(
            [
                self._counts[part].sum(axis=0, dtype=np.int64)
                for part in np.array_split(used, min(len(used), BLOCKS_AT_MOST))
            ]
        )
        effect = _design_effect(blocks, quantile, self.messages)
        around = quantiles_around(quantile, int(effective_messages(self.messages, effect, len(blocks))))
        if around is None:
            return None
        together = blocks.sum(axis=0)
        value_ms, highest_ms = self.quantiles_ms((quantile, 1.0))
        low_ms = to_ms(_lower_edge_ns(_locate(together, (around[0],))[0][0]))
        if around[1] is None:
            return PercentileInterval(low_ms=min(low_ms, value_ms), high_ms=None)
        high_ms = to_ms(_lower_edge_ns(_locate(together, (around[1],))[0][0] + 1))
        return PercentileInterval(low_ms=min(low_ms, value_ms), high_ms=max(min(high_ms, highest_ms), value_ms))

    def _look_up(self, wanted: Bools) -> tuple[Ints, NDArray[np.int32]]:
        """All values in the wanted bins, shape (bins,), and the bin of each; or in the wanted cells, shape (groups,
        bins), and the cell of each: group * _BINS + bin."""
        flat = wanted.ravel()
        values, cells = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
        for piece, group in self._pieces():
            cell = _bin(piece)
            if wanted.ndim == 2:
                cell += group * _BINS
            hit = np.flatnonzero(flat[cell])
            values.append(piece[hit])
            cells.append(cell[hit].astype(np.int32))
        return np.concatenate(values), np.concatenate(cells)


def _bin(values_ns: Ints) -> Ints:
    """The first digits of a double are its exponent and the beginning of its mantissa: a logarithm for free. The
    bits of zero and of a negative double are an integer of at most 0, so such values are in the first bin."""
    bins: Ints = values_ns.astype(np.float64).view(np.int64)
    bins >>= 52 - _SUB_BITS
    bins -= _FIRST
    return np.clip(bins, 0, _BINS - 1, out=bins)


def _lower_edge_ns(bin_: float) -> float:
    octave, part = divmod(bin_, 1 << _SUB_BITS)
    return float(2 ** (octave + _LOWEST_EXPONENT) * (1 + part / (1 << _SUB_BITS)))


def _design_effect(blocks: Ints, quantile: float, messages: int) -> float:
    """The largest around ``quantile``, for counts of shape (blocks, bins).

    It is computed just above and just below the quantile's bin, and at the bin above which there are as many values as
    in one block. If all slow values are in one block, only the latter shows how much blocks differ.
    """
    every, together = blocks.sum(axis=1), blocks.sum(axis=0)
    at, _ = _locate(together, (quantile, min(quantile, 1 - 1 / len(blocks))))
    edges = {edge for bin_ in at for edge in (bin_, bin_ + 1)}
    return max(design_effect(blocks[:, edge:].sum(axis=1), every, messages) for edge in edges)


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


def loss_bound(messages: int, pairs: int | None = None) -> str:
    """The evidence of "0 wrong of ``messages``": with 95 % confidence the rate is below 3 / n (the rule of three;
    Hanley and Lippman-Hand, JAMA 249, 1983). Messages are counted, because the deliveries of one message share its
    fate; ``pairs`` of (client, message) are named beside them."""
    if not messages:
        return "no evidence"
    beside = "" if pairs is None else f" ({pairs:,} deliveries)"
    return f"rate < {3 / messages:.1e} at 95 %, of {messages:,} messages{beside}"
