"""A proxy that ends TLS before a server, as in real installations. The certificates are made for the test."""

import asyncio
import datetime
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import trustme

from harness.model.cluster import ServerAddress

POSTGRESQL_ASKS = bytes.fromhex("0000000804d2162f")
"""How a client of PostgreSQL asks for TLS (SSLRequest)."""


class Authority:
    """A certificate authority that no system knows, and its certificates. ``file`` is the value for --ca."""

    def __init__(self, folder: Path) -> None:
        self._authority = trustme.CA()
        self.file = folder / "authority.pem"
        self._authority.cert_pem.write_to_path(self.file)

    def context(self, *hosts: str, expired: bool = False) -> ssl.SSLContext:
        """A server's TLS context with a certificate for these names and IP addresses."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        until = datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=-1 if expired else 7)
        since = until - datetime.timedelta(days=30)
        self._authority.issue_cert(*hosts, not_after=until, not_before=since).configure_cert(context)
        return context


@contextmanager
def proxied(
    target: ServerAddress, context: ssl.SSLContext, *, host: str = "127.0.0.1", path: str = "", asked: bytes = b""
) -> Iterator[int]:
    """The port of a TLS proxy on ``host``. It passes requests on without TLS, and removes ``path`` from them.

    With ``asked`` TLS begins only when a client sends these bytes. Other clients continue without TLS.
    """
    loop = asyncio.new_event_loop()
    ready: list[int] = []
    up, stop = threading.Event(), asyncio.Event()

    async def pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter, prefix: bytes) -> None:
        try:
            while data := await source.read(65_536):
                sink.write(data.replace(b" " + prefix + b"/", b" /", 1) if prefix else data)
                await sink.drain()
        except OSError:
            pass
        finally:
            sink.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        behind, before = await asyncio.open_connection(target.host, target.port)
        try:
            if asked and (head := await reader.readexactly(len(asked))) == asked:
                writer.write(b"S")
                await writer.start_tls(context)
            elif asked:
                before.write(head)
            await asyncio.gather(pump(reader, before, path.encode()), pump(behind, writer, b""))
        except (OSError, EOFError):
            pass  # a client that refuses the certificate
        finally:
            before.close()
            writer.close()

    async def main() -> None:
        loop.set_exception_handler(lambda *_: None)  # clients that refuse a certificate
        server = await asyncio.start_server(serve, host, 0, ssl=None if asked else context)
        ready.append(server.sockets[0].getsockname()[1])
        up.set()
        await stop.wait()
        server.close()
        others = asyncio.all_tasks() - {asyncio.current_task()}
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        await asyncio.sleep(0)  # closed transports end in the next turn of the loop

    thread = threading.Thread(target=lambda: loop.run_until_complete(main()))
    thread.start()
    assert up.wait(10)
    try:
        yield ready[0]
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
        loop.close()
