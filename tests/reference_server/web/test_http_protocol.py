import asyncio
from typing import Any

from reference_server.web.http_protocol import _Gathering
from tests.reference_server.fakes import FakeTransport


class ClosingTransport(FakeTransport):
    closed = False

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True


def test_an_answer_is_written_in_one_piece() -> None:
    """Head and body are two writes and leave as one. This also holds if the connection is closed right after."""

    async def main() -> None:
        plain: Any = ClosingTransport()
        gathering = _Gathering(plain, asyncio.get_running_loop())
        gathering.write(b"head ")
        gathering.write(b"body")
        await asyncio.sleep(0)
        assert plain.written == [b"head body"]
        gathering.write(b"last")
        gathering.close()
        await asyncio.sleep(0)
        assert (plain.written, plain.closed) == ([b"head body", b"last"], True)

    asyncio.run(main())
