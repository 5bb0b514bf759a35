import asyncio
import os
import signal
import socket
from typing import Any

import pytest
import uvicorn

from reference_server.protocol.responses import answer
from reference_server.web.web_server import CannotListen, WebServer, listen
from tests.reference_server.fakes import until


def test_a_listener_takes_its_address_at_once() -> None:
    """A second listener is refused with the address and the reason. The send buffer has the requested size."""
    with listen("127.0.0.1", 0, 50_000) as first:
        port = first.getsockname()[1]
        assert first.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) in (50_000, 100_000)  # Linux doubles it
        with pytest.raises(CannotListen, match=f"cannot listen on 127.0.0.1:{port}: Address already in use"):
            listen("127.0.0.1", port, 50_000)


def test_an_address_that_does_not_exist_is_refused() -> None:
    """The message names the address."""
    with pytest.raises(CannotListen, match=r"cannot use the address no\.such\.host\.invalid:8000"):
        listen("no.such.host.invalid", 8000, 50_000)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_makes_the_server_return(number: signal.Signals) -> None:
    """The signal is not raised again, so the caller can clean up. A second signal does not kill the process."""

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await answer(send, 200, b"{}")

    async def main() -> None:
        with listen("127.0.0.1", 0, 50_000) as listener:
            server = WebServer(uvicorn.Config(app, lifespan="off", log_config=None))
            serving = asyncio.create_task(server.serve(sockets=[listener]))
            await until(lambda: server.started)
            os.kill(os.getpid(), number)
            await serving
            os.kill(os.getpid(), number)
            await asyncio.sleep(0)

    asyncio.run(main())
