"""A WebSocket server that only sends: the other side of the load worker's benchmark.

    python -m bench.sender PORT RUN_ID TEXT_BYTES

Confirms every subscription. A line `COUNT PAUSE_S` on standard input sends COUNT messages to every client, one write each.
"""

import asyncio
import os
import sys

import uvloop
from picows import WSFrame, WSListener, WSMsgType, WSTransport, WSUpgradeRequest, ws_create_server

from harness.model.message import channel_name, message_text

sockets: list[WSTransport] = []


class Listener(WSListener):
    def __init__(self, channel: str) -> None:
        self.confirmation = f'{{"type":"subscribed","channel":"{channel}","seq":0}}'.encode()

    def on_ws_connected(self, transport: WSTransport) -> None:
        sockets.append(transport)

    def on_ws_frame(self, transport: WSTransport, frame: WSFrame) -> None:
        if frame.msg_type is WSMsgType.TEXT:
            transport.send(WSMsgType.TEXT, self.confirmation)


async def send(run_id: str, size_bytes: int, first: int, count: int, pause_s: float) -> None:
    for message in range(first, first + count):
        text = message_text(run_id, message, size_bytes)
        event = (
            f'{{"type":"message","channel":"{channel_name(run_id, 0)}","seq":{message + 1},"text":"{text}"}}'.encode()
        )
        for number, socket in enumerate(sockets):
            socket.send(WSMsgType.TEXT, event)
            if number % 64 == 63:
                await asyncio.sleep(0)  # the receivers begin meanwhile, as with a gateway that has other work
        await asyncio.sleep(pause_s)
    print("sent", flush=True)


async def run(port: int, run_id: str, size_bytes: int) -> None:
    def listener(request: WSUpgradeRequest) -> WSListener:
        return Listener(channel_name(run_id, 0))

    server = await ws_create_server(listener, "127.0.0.1", port, backlog=4096)
    loop = asyncio.get_running_loop()
    sent = 0
    tasks = []

    def on_line() -> None:
        nonlocal sent
        line = os.read(0, 1000).decode()
        if not line:
            os._exit(0)
        count, pause_s = line.split()
        tasks.append(loop.create_task(send(run_id, size_bytes, sent, int(count), float(pause_s))))
        sent += int(count)

    loop.add_reader(0, on_line)
    print("ready", flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(run(int(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
