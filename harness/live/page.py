"""A page on loopback that shows a run while it works, from the rows of its recording. The page has no outside
resources. Its address holds a token, so another user of the machine who finds the port cannot read it. Rows come as
Server-Sent Events, read from live.jsonl, from the beginning each time: a reload shows the same.
"""

import asyncio
import contextlib
import json
import secrets
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from importlib import resources
from pathlib import Path

from aiohttp import web

from harness.model.errors import EnvironmentFailure
from harness.recording.format import LIVE, PLAN

HOST = "127.0.0.1"
POLL_S = 0.5
START_LIMIT_S = 10.0
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; connect-src 'self'; "
    "script-src 'unsafe-inline'; style-src 'unsafe-inline'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
}


class LivePage:
    """Serves the page in a separate thread, at ``address``; ``show`` chooses the recording."""

    def __init__(self, port: int = 0) -> None:
        self._asked_port = port
        self._token = secrets.token_urlsafe(16)
        self._folder: Path | None = None
        self._ready = threading.Event()
        self._failure = ""
        self._loop = asyncio.new_event_loop()
        self._over = asyncio.Event()
        self._port = 0
        self._thread = threading.Thread(target=self._serve, name="live page", daemon=True)

    @property
    def address(self) -> str:
        return f"http://{HOST}:{self._port}/{self._token}/"

    def start(self) -> None:
        """Raises EnvironmentFailure if the port cannot be used."""
        self._thread.start()
        self._ready.wait(START_LIMIT_S)
        if self._failure or not self._port:
            raise EnvironmentFailure(
                f"--live {self._asked_port}: the page cannot listen on {HOST}: {self._failure or 'no answer'}; "
                "choose another port, or give none"
            )

    def end(self) -> None:
        self._loop.call_soon_threadsafe(self._over.set)
        self._thread.join(START_LIMIT_S)

    def show(self, folder: Path) -> None:
        """From now on the page shows the run in ``folder``."""
        self._folder = folder

    def _serve(self) -> None:
        try:
            self._loop.run_until_complete(self._run())
        except OSError as error:
            self._failure = error.strerror or str(error)
        finally:
            self._ready.set()
            self._loop.close()

    async def _run(self) -> None:
        application = web.Application()
        application.router.add_get(f"/{self._token}/", self._page)
        application.router.add_get(f"/{self._token}/rows", self._rows)
        runner = web.AppRunner(application, access_log=None, shutdown_timeout=2.0)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._asked_port).start()
            self._port = runner.addresses[0][1]
            self._ready.set()
            await self._over.wait()
        finally:
            await runner.cleanup()

    async def _page(self, request: web.Request) -> web.Response:
        html = resources.files(__package__).joinpath("page.html").read_text(encoding="utf-8")
        return web.Response(text=html, content_type="text/html", headers=HEADERS)

    async def _rows(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={**HEADERS, "Content-Type": "text/event-stream"})
        await response.prepare(request)
        try:
            async for event in self._events():
                await response.write(event)
        except (ConnectionError, asyncio.CancelledError):
            pass  # the browser has gone
        return response

    async def _events(self) -> AsyncIterator[bytes]:
        """A ``run`` event whenever another run begins, then its rows, one event each."""
        shown: Path | None = None
        read = 0
        while not self._over.is_set():
            if self._folder is not None and self._folder != shown:
                shown, read = self._folder, 0
                yield _event("run", _about(shown))
            if shown is not None:
                lines, read = _new_lines(shown / LIVE, read)
                for line in lines:
                    yield _event("row", line)
            yield b": still here\n\n"
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), POLL_S)


def _event(name: str, data: str) -> bytes:
    return f"event: {name}\ndata: {data}\n\n".encode()


def _about(folder: Path) -> str:
    """The page's description of a run, from its plan."""
    plan = json.loads((folder / PLAN).read_text(encoding="utf-8"))["plan"]
    names = ("scenario", "title", "servers", "clients", "rate_hz", "audience", "backplane", "duration_s", "warm_up_s")
    limit_ms = next((wish["limit_ms"] for wish in plan["expectations"] if wish["statistic"] == "p99"), None)
    return json.dumps({name: plan[name] for name in names} | {"folder": folder.name, "limit_ms": limit_ms})


def _new_lines(path: Path, read: int) -> tuple[list[str], int]:
    """Whole lines from byte ``read`` on, and the position of the next."""
    try:
        with path.open("rb") as file:
            file.seek(read)
            found = file.read()
    except FileNotFoundError:
        return [], read
    whole = found[: found.rfind(b"\n") + 1]
    return whole.decode().splitlines(), read + len(whole)


@contextmanager
def live_page(port: int) -> Iterator[LivePage]:
    """The page while the block runs; port 0 is any free port. Raises EnvironmentFailure."""
    page = LivePage(port)
    page.start()
    try:
        yield page
    finally:
        page.end()
