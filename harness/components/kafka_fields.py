"""The fields of which requests and answers of the Kafka protocol consist, in the versions that are not "flexible"."""

import struct
from collections.abc import Sequence


def text(value: str) -> bytes:
    data = value.encode()
    return struct.pack(">h", len(data)) + data


def array(items: Sequence[bytes]) -> bytes:
    return struct.pack(">i", len(items)) + b"".join(items)


class Fields:
    """The fields of an answer, read one after the other. Reading beyond its end raises OSError."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def int8(self) -> int:
        return self._number(">b")

    def int16(self) -> int:
        return self._number(">h")

    def int32(self) -> int:
        return self._number(">i")

    def int64(self) -> int:
        return self._number(">q")

    def text(self) -> str:
        """Empty for null."""
        length = max(self.int16(), 0)
        self._at += length
        return self._data[self._at - length : self._at].decode("utf-8", "replace")

    def _number(self, form: str) -> int:
        try:
            (value,) = struct.unpack_from(form, self._data, self._at)
        except struct.error as error:
            raise ConnectionError(f"a broken answer of the broker: {error}") from error
        self._at += struct.calcsize(form)
        return int(value)
