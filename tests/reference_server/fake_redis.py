import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import hiredis


class FakeRedis:
    """The part of Redis that Pub/Sub needs. It can be frozen, can postpone subscriptions, and records its commands."""

    def __init__(self, password: bytes | None = None) -> None:
        self.commands: list[list[bytes]] = []
        self.frozen = False
        self.postponed: list[tuple[list[bytes], asyncio.StreamWriter]] | None = None
        """If this is a list, each SUBSCRIBE is added to it and not executed."""
        self.port = 0
        self._password = password
        self._subscribers: dict[bytes, set[asyncio.StreamWriter]] = {}
        self._writers: set[asyncio.StreamWriter] = set()

    @asynccontextmanager
    async def running(self, port: int = 0) -> AsyncIterator["FakeRedis"]:
        server = await asyncio.start_server(self._serve, "127.0.0.1", port)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()
            for writer in self._writers:
                writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        parser = hiredis.Reader()
        try:
            while data := await reader.read(65_536):
                parser.feed(data)
                while (command := parser.gets()) is not False:
                    self.commands.append(command)
                    if self.postponed is not None and command[0] == b"SUBSCRIBE":
                        self.postponed.append((command, writer))
                    elif not self.frozen:
                        self._execute(command, writer)
        except ConnectionError:
            pass
        finally:
            self._writers.discard(writer)
            for subscribers in self._subscribers.values():
                subscribers.discard(writer)
            writer.close()

    def execute_postponed(self) -> None:
        postponed, self.postponed = self.postponed or [], None
        for command, writer in postponed:
            self._execute(command, writer)

    def _execute(self, command: list[bytes], writer: asyncio.StreamWriter) -> None:
        verb, *words = command
        if verb == b"AUTH":
            writer.write(b"+OK\r\n" if words[-1] == self._password else b"-WRONGPASS no\r\n")
        elif verb == b"PING":
            writer.write(b"+PONG\r\n")
        elif verb == b"PUBLISH":
            for subscriber in self._subscribers.get(words[0], ()):
                subscriber.write(hiredis.pack_command(("message", *words)))
            writer.write(b":1\r\n")
        else:
            for name in words:
                subscribers = self._subscribers.setdefault(name, set())
                (subscribers.add if verb == b"SUBSCRIBE" else subscribers.discard)(writer)
                writer.write(b"*3\r\n$%d\r\n%s\r\n$%d\r\n%s\r\n:1\r\n" % (len(verb), verb.lower(), len(name), name))
