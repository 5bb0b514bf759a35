"""Every distinct delivery that a worker saw, verified once.

All clients of a channel get the same bytes, so a delivery is looked up by its bytes in a dictionary, the header of its
frame included. A hit proves, byte for byte, that it is a whole text frame that was verified before, and costs no
parsing. Only a frame that was not seen lately is parsed and compared with the posted message.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from harness.model.message import channel_index
from harness.model.plan import Plan
from harness.planning.identity import identify
from harness.protocol.contract import Delivery, Frame
from harness.recording.format import FRAME, SOUND, UNVERIFIED

GENERATION = 8_192
GENERATION_BYTES = 32 << 20
"""Frames kept for look-up, and their bytes, before the older half is forgotten; one seen again is verified again."""

Row = tuple[int, int, int, int]


class FrameTable:
    """Numbers what is delivered. ``messages`` is the length of the schedule; ``classify`` is the client protocol's.

    Frames of the same message with the same finding share one row. There are at most ``limit`` rows: a correct service
    causes one for each message, and a service that sends invented messages must not fill this machine's memory. Further
    frames have the row UNVERIFIED and are counted in ``unverified``.

    A frame's *mark* is the number of its row, shifted to its place in the first word of a row of deliveries-NN.npy.
    """

    def __init__(self, plan: Plan, messages: int, classify: Callable[[bytes], Frame]) -> None:
        self.limit = 4 * messages + 10_000
        self.unverified = 0
        self._plan = plan
        self._classify = classify
        self._messages = messages
        self._rows: list[Row] = []
        self._numbers: dict[Row, int] = {}
        self._written = 0
        self._sound: dict[int, dict[bytes, int]] = {}
        """by channel: the frames of ``_young`` that are valid deliveries of this channel"""
        self._young: dict[bytes, int] = {}
        self._old: dict[bytes, int] = {}
        self._young_bytes = 0

    def __len__(self) -> int:
        return len(self._rows)

    def channel(self, name: str) -> int:
        """The number of the plan's channel of this name, as it stands in rows."""
        return channel_index(self._plan.run_id, name)

    def lookup(self, channel: int) -> Callable[[bytes], int | None]:
        """From a whole frame that is a valid delivery of ``channel`` to its mark: the dictionary's own ``get``, which
        stays the same for the life of this table."""
        return self._sound.setdefault(channel, {}).get

    def mark(self, frame: bytes, payload: bytes) -> int | Frame:
        """The mark of a text frame, new or known, with this payload; for a frame that is no delivery, what it is."""
        young = self._young
        if (mark := young.get(frame)) is not None:
            return mark
        mark = self._old.get(frame)
        if mark is None:
            event = self._classify(payload)
            if not isinstance(event, Delivery):
                return event
            mark = self._number(self._verify(event)) << 32
        if len(young) >= GENERATION or self._young_bytes >= GENERATION_BYTES:
            self._old = dict(young)
            young.clear()
            # The dictionaries themselves stay, because callers hold their ``get``.
            for sound in self._sound.values():
                sound.clear()
            self._young_bytes = 0
        young[frame] = mark
        channel = self.channel_of(mark)
        if self.seq_of(mark, channel):
            self._sound.setdefault(channel, {})[frame] = mark
        self._young_bytes += len(frame)
        return mark

    def take_rows(self) -> NDArray[np.void]:
        """Rows that were not taken yet, in the layout of frames-NN.npy."""
        rows = np.array(self._rows[self._written :], FRAME)
        self._written = len(self._rows)
        return rows

    def message_of(self, number: int) -> int:
        return self._rows[number][0]

    def seq_of(self, mark: int, channel: int) -> int:
        """The seq that a client of ``channel`` has after this delivery; 0 if the frame is not valid or belongs to
        another channel."""
        _, own, seq, flaw = self._rows[mark >> 32]
        return seq if flaw == SOUND and own == channel and seq > 0 else 0

    def channel_of(self, mark: int) -> int:
        """The channel that the frame names, -1 for none of the plan."""
        return self._rows[mark >> 32][1]

    def messages(self) -> NDArray[np.int64]:
        """The message of each frame, -1 for none, shape (frames,)."""
        return np.fromiter((row[0] for row in self._rows), np.int64, len(self._rows))

    def _verify(self, delivery: Delivery) -> Row:
        message, flaw = identify(self._plan, self._messages, delivery.text)
        # The seq of a server may be too large for the file.
        seq = delivery.seq if 0 <= delivery.seq < 2**62 else -1
        return (message, channel_index(self._plan.run_id, delivery.channel), seq, flaw)

    def _number(self, row: Row) -> int:
        number = self._numbers.get(row)
        if number is None and len(self._rows) >= self.limit:
            self.unverified += 1
            row = (-1, -1, 0, UNVERIFIED)
            number = self._numbers.get(row)
        if number is None:
            number = self._numbers[row] = len(self._rows)
            self._rows.append(row)
        return number
