"""Every distinct delivery that a worker saw, verified once.

All clients of a channel get the same bytes, so a delivery is looked up by its bytes in a dictionary: a hit proves, byte
for byte, that it is one already verified, and costs no parsing. Only a frame not seen lately is parsed and compared with
what was posted.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.model.message import channel_index
from harness.model.plan import Plan
from harness.planning.identity import identify
from harness.protocol.contract import Delivery, Frame
from harness.recording.format import FOREIGN, FRAME

GENERATION = 8_192
"""Distinct frames kept for look-up before the older half is forgotten; one seen again is then simply verified again."""

Row = tuple[int, int, int, int]


class FrameTable:
    """Numbers distinct frames. ``messages`` is the length of the schedule; ``classify`` is the client protocol's."""

    def __init__(self, plan: Plan, messages: int, classify: Callable[[bytes], Frame]) -> None:
        self._plan = plan
        self._classify = classify
        self._messages = messages
        # A server that invents frames without end must not fill this machine's memory.
        self._capacity = 10 * messages + 10_000
        self._rows: list[Row] = []
        self._written = 0
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self.seqs: list[int] = []
        """seq of each frame, for resuming"""

    def __len__(self) -> int:
        return len(self._rows)

    def lookup(self) -> Callable[[bytes], int | None]:
        """The dictionary's own ``get``, valid for as long as this table: a hit is a frame that was verified before."""
        return self._young.get

    def number(self, payload: bytes) -> int:
        """The frame's number, new or known. Raises ValueError where the payload is no delivery."""
        young = self._young
        number = young.get(payload)
        if number is not None:
            return number
        number = self._old.get(payload)
        if number is None:
            number = self._verify(payload)
        if len(young) >= GENERATION:
            # The dictionary object stays the same, because callers hold its ``get``.
            self._old = dict(young)
            young.clear()
        young[payload] = number
        return number

    def take_rows(self) -> NDArray[np.void]:
        """Rows that were not taken yet, in the layout of frames-NN.npy."""
        rows = np.array(self._rows[self._written :], FRAME)
        self._written = len(self._rows)
        return rows

    def message_of(self, number: int) -> int:
        return self._rows[number][0]

    def messages(self) -> NDArray[np.int64]:
        """The message of each frame, -1 for none, shape (frames,)."""
        return np.fromiter((row[0] for row in self._rows), np.int64, len(self._rows))

    def _verify(self, payload: bytes) -> int:
        delivery = self._classify(payload)
        if not isinstance(delivery, Delivery):
            raise ValueError(f"expected a delivery, found {delivery}")
        if len(self._rows) >= self._capacity:
            row = (-1, -1, 0, FOREIGN)
        else:
            message, flaw = identify(self._plan, self._messages, delivery.text)
            # What a server sends as seq is not trusted to fit the file.
            seq = delivery.seq if 0 <= delivery.seq < 2**62 else -1
            row = (message, channel_index(self._plan.run_id, delivery.channel), seq, flaw)
        self._rows.append(row)
        self.seqs.append(row[2])
        return len(self._rows) - 1
