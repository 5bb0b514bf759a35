"""A real browser for tests: chromium, controlled through its DevTools protocol."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, TypeVar

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
START_LIMIT_S = 30.0
Found = TypeVar("Found")


class Tab:
    """One page in the browser. ``said`` collects the errors on its console, also violations of the content security
    policy."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._asked = 0
        self.said: list[str] = []

    async def ask(self, method: str, **params: Any) -> dict[str, Any]:
        """The result of one command of the protocol (https://chromedevtools.github.io/devtools-protocol)."""
        self._asked += 1
        await self._socket.send_json({"id": self._asked, "method": method, "params": params})
        while True:
            message = await self._socket.receive_json()
            if message.get("id") == self._asked:
                assert "error" not in message, f"{method}: {message['error']}"
                return dict(message["result"])
            if message.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                self.said.append(json.dumps(message["params"]))

    async def value(self, expression: str) -> Any:
        """The value of a JavaScript expression, converted through JSON."""
        found = await self.ask("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in found, found["exceptionDetails"]
        return found["result"].get("value")

    async def sized(self, width: int, height: int) -> None:
        """Gives the page a window of this size in CSS pixels. A width below 600 emulates a phone."""
        phone = width < 600
        await self.ask(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone
        )

    async def mouse(self, kind: str, x: float, y: float, clicks: int = 1) -> None:
        """Sends a mouse event at CSS pixels of the window. ``kind`` is mousePressed, mouseMoved or mouseReleased."""
        held = 0 if kind == "mouseReleased" else 1
        await self.ask("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", buttons=held, clickCount=clicks)

    async def key(self, key: str) -> None:
        text = {"text": key} if len(key) == 1 else {}
        await self.ask("Input.dispatchKeyEvent", type="keyDown", key=key, **text)
        await self.ask("Input.dispatchKeyEvent", type="keyUp", key=key)


def visit(address: str, look: Callable[[Tab], Awaitable[Found]]) -> Found:
    """Opens ``address`` in a browser and returns the result of ``look``."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        browser = subprocess.Popen(
            [*command, "--remote-debugging-port=0", "about:blank"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            return asyncio.run(_visit(_port(Path(profile)), address, look))
        finally:
            browser.terminate()
            browser.wait(10)


def text_of(address: str, until: Callable[[str], bool], limit_s: float = 20.0) -> str:
    """The HTML of the page at ``address``, as soon as ``until`` accepts it or the time limit is over."""

    async def look(tab: Tab) -> str:
        deadline_s = time.monotonic() + limit_s
        while True:
            shown = str(await tab.value("document.documentElement.outerHTML"))
            if until(shown) or time.monotonic() > deadline_s:
                return shown
            await asyncio.sleep(0.2)

    return visit(address, look)


def _port(profile: Path) -> int:
    deadline_s = time.monotonic() + START_LIMIT_S
    while True:
        try:
            return int((profile / "DevToolsActivePort").read_text().splitlines()[0])
        except (OSError, IndexError, ValueError):
            assert time.monotonic() < deadline_s, "the browser did not start"
            time.sleep(0.1)


async def _visit(port: int, address: str, look: Callable[[Tab], Awaitable[Found]]) -> Found:
    async with aiohttp.ClientSession() as session:
        async with session.get(f"http://127.0.0.1:{port}/json") as answer:
            pages = [one for one in json.loads(await answer.text()) if one["type"] == "page"]
        async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            tab = Tab(socket)
            for domain in ("Page", "Runtime", "Log"):
                await tab.ask(f"{domain}.enable")
            await tab.ask("Page.navigate", url=address)
            deadline_s = time.monotonic() + START_LIMIT_S
            while await tab.value("[document.readyState, location.href].join(' ')") != f"complete {address}":
                assert time.monotonic() < deadline_s, "the browser did not open the page"
                await asyncio.sleep(0.1)
            return await look(tab)
