"""The proxy's program: ``python -m harness.prove.way.proxy --bug MODULE:CLASS …``, one process in front of all servers.

It runs until it is ended. Requests, answers and frames pass as they are, except for what the bug changes.
"""

import argparse
import asyncio
import json
from collections.abc import Sequence
from contextlib import AsyncExitStack
from functools import partial
from itertools import count
from pathlib import Path

import uvloop

from harness.model.registry import load
from harness.prove.planted_events import PlantedEvents
from harness.prove.way.http_message import read_message
from harness.prove.way.link import Link
from harness.prove.way.way_bug import WayBug, event_of
from harness.prove.way.websocket_frames import FrameReader

READ_BYTES = 65_536
BACKLOG = 1_024
WEBSOCKET_PATH = "/v1/ws"


class Proxy:
    """Listens on a port for each server."""

    def __init__(self, bug: WayBug) -> None:
        self._bug = bug
        self._numbers = count()

    async def serve(self, ports: Sequence[int], upstream_ports: Sequence[int]) -> None:
        """Listen on loopback until cancelled."""
        async with AsyncExitStack() as listening:
            for server, (port, upstream_port) in enumerate(zip(ports, upstream_ports, strict=True)):
                accept = partial(self._accept, server, upstream_port)
                listener = await asyncio.start_server(accept, "127.0.0.1", port, backlog=BACKLOG)
                await listening.enter_async_context(listener)
            await asyncio.Event().wait()

    async def _accept(
        self, server: int, upstream_port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        """One connection of a client, with its connection to the server."""
        try:
            upstream = await asyncio.open_connection("127.0.0.1", upstream_port)
        except OSError:
            writer.transport.abort()
            return
        try:
            await self._serve(server, (reader, writer), upstream)
        except ConnectionError:
            pass
        finally:
            writer.close()
            upstream[1].close()

    async def _serve(
        self,
        server: int,
        client: tuple[asyncio.StreamReader, asyncio.StreamWriter],
        upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    ) -> None:
        """Requests one after another, until one of them becomes a WebSocket."""
        while (request := await read_message(client[0])) is not None:
            upgrade = request.path == WEBSOCKET_PATH
            if upgrade:
                await self._bug.on_connect(server)
            upstream[1].write(request.raw)
            response = await read_message(upstream[0])
            if response is None:
                return
            client[1].write(await self._bug.on_response(server, request, response))
            if upgrade and response.status == 101:
                link = Link(number=next(self._numbers), server=server, downstream=client[1])
                self._bug.links.append(link)
                await self._relay(link, client[0], upstream)
                return

    async def _relay(
        self, link: Link, client: asyncio.StreamReader, upstream: tuple[asyncio.StreamReader, asyncio.StreamWriter]
    ) -> None:
        """Frames in both directions, until one side ends."""
        both = [
            asyncio.create_task(self._from_client(link, client, upstream[1])),
            asyncio.create_task(self._from_server(link, upstream[0])),
        ]
        try:
            done, _ = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
            for task in done:
                task.result()
        finally:
            for task in both:
                task.cancel()
            await asyncio.gather(*both, return_exceptions=True)

    async def _from_client(self, link: Link, reader: asyncio.StreamReader, server: asyncio.StreamWriter) -> None:
        frames = FrameReader()
        while data := await reader.read(READ_BYTES):
            for frame in frames.feed(data):
                server.write(await self._bug.on_command(link, frame))

    async def _from_server(self, link: Link, reader: asyncio.StreamReader) -> None:
        frames = FrameReader()
        while data := await reader.read(READ_BYTES):
            for frame in frames.feed(data):
                event = event_of(frame)
                if event is None:
                    link.write(frame.raw)
                    continue
                if event.type == "subscribed":
                    link.channel = event.channel
                await self._bug.on_event(link, event, frame)
            await link.downstream.drain()


async def run(arguments: argparse.Namespace) -> None:
    events = PlantedEvents(arguments.events)
    bug: WayBug = load(arguments.bug)(events=events, options=json.loads(arguments.options))
    ports, upstream_ports = (
        [int(port) for port in listed.split(",")] for listed in (arguments.ports, arguments.upstream)
    )
    await Proxy(bug).serve(ports, upstream_ports)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--ports", required=True)
    parser.add_argument("--upstream", required=True)
    parser.add_argument("--bug", required=True, metavar="MODULE:CLASS")
    parser.add_argument("--options", default="{}")
    parser.add_argument("--events", type=Path, required=True)
    uvloop.run(run(parser.parse_args()))


if __name__ == "__main__":
    main()
