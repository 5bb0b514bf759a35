"""A real browser for tests: chromium, asked through its DevTools protocol."""

import asyncio
import json
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import aiohttp

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
START_LIMIT_S = 30.0


def text_of(address: str, until: Callable[[str], bool], limit_s: float = 20.0) -> str:
    """What the page at ``address`` shows, as HTML, when ``until`` is true of it or time is up."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory() as profile:
        command = [CHROMIUM, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={profile}"]
        browser = subprocess.Popen(
            [*command, "--remote-debugging-port=0", address], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        try:
            return asyncio.run(_read(_port(Path(profile)), address, until, limit_s))
        finally:
            browser.terminate()
            browser.wait(10)


def _port(profile: Path) -> int:
    deadline_s = time.monotonic() + START_LIMIT_S
    while True:
        try:
            return int((profile / "DevToolsActivePort").read_text().splitlines()[0])
        except (OSError, IndexError, ValueError):
            assert time.monotonic() < deadline_s, "the browser did not start"
            time.sleep(0.1)


async def _read(port: int, address: str, until: Callable[[str], bool], limit_s: float) -> str:
    deadline_s = time.monotonic() + limit_s
    async with aiohttp.ClientSession() as session:
        while True:
            async with session.get(f"http://127.0.0.1:{port}/json") as answer:
                pages = [one for one in json.loads(await answer.text()) if one["url"] == address]
            if pages:
                break
            assert time.monotonic() < deadline_s, "the browser did not open the page"
            await asyncio.sleep(0.1)
        async with session.ws_connect(pages[0]["webSocketDebuggerUrl"], max_msg_size=0) as socket:
            while True:
                expression = {"expression": "document.documentElement.outerHTML"}
                await socket.send_json({"id": 1, "method": "Runtime.evaluate", "params": expression})
                shown = str((await socket.receive_json())["result"]["result"]["value"])
                if until(shown) or time.monotonic() > deadline_s:
                    return shown
                await asyncio.sleep(0.2)
