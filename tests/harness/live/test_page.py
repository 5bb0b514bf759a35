"""The live page: who can open it, what it serves, and that a reload shows the same rows."""

import json
import socket
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from harness.live.page import LivePage, live_page
from harness.model.errors import EnvironmentFailure
from harness.model.watch import NextFault, Progress
from harness.recording.writer import write_plan
from tests.browser import CHROMIUM, text_of
from tests.harness.plans import a_plan


def recording(folder: Path, *sent: int, title: str = "Multi-server broadcast") -> Path:
    folder.mkdir(exist_ok=True)
    write_plan(folder, a_plan(title=title))
    add(folder, *sent)
    return folder


def add(folder: Path, *sent: int) -> None:
    with (folder / "live.jsonl").open("a") as file:
        for number in sent:
            progress = Progress(
                clients=4, subscribed=4, sent=number, p99_ms=7.5, fault=NextFault(what="stop", in_s=3.0)
            )
            row = {"at_ns": number * 10**9, "phase": "measure", **msgspec.to_builtins(progress)}
            file.write(json.dumps(row) + "\n")


@pytest.fixture
def page() -> Iterator[LivePage]:
    with live_page(0) as found:
        yield found


def events(page: LivePage, number: int) -> list[tuple[str, dict[str, object]]]:
    """The first ``number`` events that the page sends to a browser that opens it now."""
    found: list[tuple[str, dict[str, object]]] = []
    with urllib.request.urlopen(f"{page.address}rows", timeout=10) as answer:
        name = ""
        while len(found) < number:
            line = answer.readline().decode().rstrip()
            if line.startswith("event: "):
                name = line.removeprefix("event: ")
            elif line.startswith("data: "):
                found.append((name, json.loads(line.removeprefix("data: "))))
    return found


def test_a_reload_shows_the_same(page: LivePage, tmp_path: Path) -> None:
    """A reload shows the rows of the recording from its first second, and then the new rows."""
    folder = recording(tmp_path / "run", 1, 2)
    page.show(folder)
    first = events(page, 3)
    assert [name for name, _ in first] == ["run", "row", "row"]
    add(folder, 3)
    again = events(page, 4)
    assert again[:3] == first
    assert again[3][1]["sent"] == 3


def test_half_a_row_waits_for_its_end(page: LivePage, tmp_path: Path) -> None:
    """The harness may still be writing the last row. The page sends a row only when it is complete."""
    folder = recording(tmp_path / "run", 1)
    with (folder / "live.jsonl").open("a") as file:
        file.write('{"half":')
    page.show(folder)
    assert [name for name, _ in events(page, 2)] == ["run", "row"]


def test_the_page_needs_the_token(page: LivePage) -> None:
    """Without the token, every path is 404. The page listens on loopback and names no outside resource."""
    base = page.address.rsplit("/", 2)[0]
    for path in ("/", "/rows", "/wrong/", "/wrong/rows"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(base + path, timeout=10)
    assert base.startswith("http://127.0.0.1:")
    with urllib.request.urlopen(page.address, timeout=10) as answer:
        html = answer.read().decode()
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
    outside = html.replace("http://www.w3.org/2000/svg", "")
    assert "http://" not in outside
    assert "https://" not in outside


def test_a_port_that_is_taken_is_told() -> None:
    """The error comes before the run starts. It names the port, the cause and what to do."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(EnvironmentFailure, match=f"--live {port}"), live_page(port):
            pass


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_shows_the_rows(page: LivePage, tmp_path: Path) -> None:
    """The browser draws tiles and curves from the events. Text from the plan is shown as text, not as markup."""
    page.show(recording(tmp_path / "run", 1, 2, 1234, title="<b>title</b>"))
    dom = text_of(page.address, lambda shown: "1,234" in shown and "<path" in shown)
    assert "1,234" in dom
    assert "7.5 ms" in dom
    assert "&lt;b&gt;title&lt;/b&gt;" in dom
    assert "<path" in dom
