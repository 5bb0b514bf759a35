"""The harness collects traces page by page, from every server that keeps them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from harness.model.cluster import ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.model.message import channel_name
from harness.observation import trace_collector as module
from harness.observation.trace_collector import collect_traces
from harness.protocol.chat import Chat
from harness.recording.format import DOWN, SUBSCRIBED, UP
from tests.harness.plans import a_plan
from tests.seams.parrot import Parrot

PLAN = a_plan()
CHANNEL = channel_name(PLAN.run_id, 1)
ROWS: dict[str, list[list[object]]] = {
    "accepted": [[CHANNEL, 1, 10, 20, 30], ["another-run.000000", 1, 1, 2, 3], [CHANNEL, 2, 11, 21, 0]],
    "delivered": [[CHANNEL, 1, 40, 50, 2, "live"], [CHANNEL, 2, 60, 70, 2, "recovered"]],
    "backplane": [["up", 1], ["subscribed", 2], ["down", 3]],
}


@asynccontextmanager
async def serving(
    rows: dict[str, list[list[object]]], *, dropped: int = 0, more: int = 0
) -> AsyncIterator[ServerAddress]:
    """One server. It answers 400 for a part that it does not have, and reports ``more`` rows than it has."""

    async def trace(request: web.Request) -> web.Response:
        found = rows.get(request.query["part"])
        if found is None:
            return web.json_response({"ok": False}, status=400)
        offset = int(request.query["offset"])
        page = found[offset : offset + int(request.query["limit"])]
        return web.json_response({"ok": True, "total": len(found) + more, "dropped": dropped, "rows": page})

    app = web.Application()
    app.router.add_get("/v1/trace", trace)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ServerAddress(name="server-1", host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


def collect(folder: Path, rows: dict[str, list[list[object]]], **behaviour: int) -> dict[str, Any]:
    """The contents of the files after a collection, by name."""
    (folder / "arrays").mkdir(exist_ok=True)

    async def scenario() -> None:
        async with serving(rows, **behaviour) as server:
            cluster: Any = SimpleNamespace(servers=[server], token="t")
            await collect_traces(cluster, PLAN, Chat(), folder)

    asyncio.run(scenario())
    return {path.stem: np.load(path).tolist() for path in (folder / "arrays").iterdir()}


@pytest.mark.parametrize("page_rows", [1, 50_000])
def test_the_rows_of_this_run_are_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_rows: int) -> None:
    """The rows have the channel's index. Rows of other runs on the same servers are left out, for every page size."""
    monkeypatch.setattr(module, "PAGE_ROWS", page_rows)
    assert collect(tmp_path, ROWS) == {
        "accepted-00": [(1, 1, 10, 20, 30), (1, 2, 11, 21, 0)],
        "delivered-00": [(1, 1, 40, 50, 2, False), (1, 2, 60, 70, 2, True)],
        "backplane-00": [(UP, 1), (SUBSCRIBED, 2), (DOWN, 3)],
    }


def test_a_part_that_a_server_lacks_leaves_no_file(tmp_path: Path) -> None:
    """This is no error. The report then shows fewer steps."""
    assert set(collect(tmp_path, {"accepted": ROWS["accepted"]})) == {"accepted-00"}


def test_a_protocol_without_traces_asks_no_server(tmp_path: Path) -> None:
    """There is no file and no error."""
    cluster: Any = SimpleNamespace(servers=[ServerAddress(name="server-1", host="127.0.0.1", port=1)], token="t")
    asyncio.run(collect_traces(cluster, PLAN, Parrot(), tmp_path))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("rows", "behaviour", "reason"),
    [
        (ROWS, {"dropped": 7}, "server-1: accepted: the server had no room for 7 rows"),
        (ROWS, {"more": 2}, "server-1: accepted: expected 5 rows, found 3"),
        (
            {"backplane": [["sideways", 1]]},
            {},
            "server-1: backplane: expected the JSON object of docs/protocol.md: Invalid enum value 'sideways'",
        ),
        ({"accepted": [[CHANNEL, 1]]}, {}, "server-1: accepted: "),
    ],
)
def test_what_is_not_as_the_protocol_says_is_named(
    tmp_path: Path, rows: dict[str, list[list[object]]], behaviour: dict[str, int], reason: str
) -> None:
    """The error names the server, the part and what was found. The other parts are still collected."""
    with pytest.raises(EnvironmentFailure) as failed:
        collect(tmp_path, rows, **behaviour)
    assert reason in str(failed.value)
    if behaviour:
        assert len(np.load(tmp_path / "arrays" / "backplane-00.npy")) == 3
