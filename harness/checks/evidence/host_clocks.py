"""Compares times of two hosts. Only this module of the checks compares times of different hosts."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from harness.model.clock import Clocks

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]
Hosts = int | Ints
"""indices of hosts"""

UNKNOWN_NS = 1 << 60
"""The bound of a clock whose offset is not known: wider than any difference of two times."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Elapsed:
    """Differences of times, in ns: each is at least ``low`` and at most ``high``."""

    low: Ints
    high: Ints

    @property
    def middle(self) -> Ints:
        """The likeliest values; exact if the clocks are one."""
        found: Ints = self.low if self.low is self.high else self.low + (self.high - self.low) // 2
        return found

    @property
    def open(self) -> Bools:
        """Whether it is unknown which of the two times was first."""
        found: Bools = (self.low < 0) & (self.high >= 0)
        return found


class HostClocks:
    """The clocks of a recording. A file that clocks.json does not name is on a host of its own, with an unknown
    offset."""

    def __init__(self, clocks: Clocks | None) -> None:
        known = clocks or Clocks()
        self._files = known.files
        self._index: dict[str, int] = {}
        self._offset_ns = np.empty(0, np.int64)
        self._bound_ns = np.empty(0, np.int64)
        for clock in known.hosts:
            self._add(clock.host, clock.offset_ns, clock.bound_ns)
        self.coordinator = self._host(known.coordinator)

    def of_file(self, name: str) -> int:
        """The host of a row file, named without ``.npy``."""
        return self._host(self._files.get(name, f"the unknown host of {name}"))

    def _host(self, name: str) -> int:
        if name not in self._index:
            self._add(name, None, None)
        return self._index[name]

    def _add(self, name: str, offset_ns: int | None, bound_ns: int | None) -> None:
        if offset_ns is None or bound_ns is None:
            offset_ns, bound_ns = 0, UNKNOWN_NS
        self._index[name] = len(self._index)
        self._offset_ns = np.append(self._offset_ns, np.int64(offset_ns))
        self._bound_ns = np.append(self._bound_ns, np.int64(bound_ns))

    @property
    def one(self) -> bool:
        """Whether all hosts have one clock."""
        return not self._offset_ns.any() and not self._bound_ns.any()

    def bound_ns(self, first: Hosts, second: Hosts) -> Ints:
        """The largest error of a difference between times of these hosts; UNKNOWN_NS or more if it is not known."""
        bound = np.asarray(self._bound_ns[first] + self._bound_ns[second])
        found: Ints = np.where(np.asarray(first) == np.asarray(second), 0, bound)
        return found

    def comparable(self, first: Hosts, second: Hosts) -> bool:
        """Whether all times of these hosts can be compared, with whatever bound."""
        return bool((self.bound_ns(first, second) < UNKNOWN_NS).all())

    def elapsed_ns(self, since_ns: Ints, since: Hosts, until_ns: Ints, until: Hosts) -> Elapsed:
        """How long it took from ``since_ns`` on the clock of host ``since`` to ``until_ns`` on that of host ``until``.

        Arrays must have shapes that broadcast. Where an offset is not known, the interval holds every value.
        """
        difference = until_ns - since_ns
        if self.one:
            return Elapsed(low=difference, high=difference)
        difference = difference + self._offset_ns[until] - self._offset_ns[since]
        bound = self.bound_ns(since, until)
        return Elapsed(low=difference - bound, high=difference + bound)
