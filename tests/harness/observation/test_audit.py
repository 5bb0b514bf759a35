"""The audit through the client protocol's history, against small servers: what a run stored, and what cannot be read."""

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
from harness.model.message import channel_name, message_text
from harness.observation import audit as module
from harness.observation.audit import audit
from harness.protocol.chat import Chat
from harness.protocol.contract import ClientProtocol, Request
from harness.recording.format import ALTERED, FOREIGN, SOUND
from tests.harness.plans import a_plan

PLAN = a_plan(clients=4, audience=2)
NOBODY = ServerAddress(name="server-9", host="127.0.0.1", port=1)
TEXTS = [message_text(PLAN.run_id, number, PLAN.text_bytes) for number in range(3)]
STORED = {
    channel_name(PLAN.run_id, 0): [TEXTS[0], TEXTS[2][:-1] + "~", "chatter"],
    channel_name(PLAN.run_id, 1): [TEXTS[1]],
}


@asynccontextmanager
async def serving(*, malformed: bool = False) -> AsyncIterator[ServerAddress]:
    """One server that holds STORED."""

    async def history(request: web.Request) -> web.Response:
        if malformed:
            return web.Response(text="no JSON")
        since, limit = int(request.query["since"]), int(request.query["limit"])
        rows = [{"seq": seq, "text": text} for seq, text in enumerate(STORED[request.query["channel"]], 1)]
        return web.json_response({"ok": True, "messages": [row for row in rows if row["seq"] > since][:limit]})

    app = web.Application()
    app.router.add_get("/v1/conversations.history", history)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ServerAddress(name="server-1", host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def audited(folder: Path, protocol: ClientProtocol, *servers: ServerAddress) -> Any:
    (folder / "arrays").mkdir()
    cluster: Any = SimpleNamespace(servers=servers, token="t", database=None)
    try:
        await audit(cluster, PLAN, protocol, folder)
    finally:
        assert not list(folder.glob("arrays/*.part"))
    return np.load(folder / "arrays" / "stored.npy")


@pytest.mark.parametrize("page_rows", [1, 2, 1_000])
def test_every_stored_message_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_rows: int) -> None:
    """In order of channel and seq, with the message that it is and its flaw, however many fit into an answer."""
    monkeypatch.setattr(module, "HISTORY_ROWS", page_rows)

    async def scenario() -> Any:
        async with serving() as server:
            return await audited(tmp_path, Chat(), server)

    rows = asyncio.run(scenario())
    assert rows["message"].tolist() == [0, 2, -1, 1]
    assert rows["channel"].tolist() == [0, 0, 0, 1]
    assert rows["seq"].tolist() == [1, 2, 3, 1]
    assert rows["flaw"].tolist() == [SOUND, ALTERED, FOREIGN, SOUND]


def test_another_server_answers_for_one_that_is_away(tmp_path: Path) -> None:
    """All read the same database."""

    async def scenario() -> Any:
        async with serving() as server:
            return await audited(tmp_path, Chat(), NOBODY, server)

    assert len(asyncio.run(scenario())) == 4


def test_what_cannot_be_read_leaves_no_file(tmp_path: Path) -> None:
    """Half a file would look like lost messages."""

    async def scenario() -> None:
        async with serving(malformed=True) as server:
            with pytest.raises(EnvironmentFailure, match="the database cannot be read: expected the JSON object"):
                await audited(tmp_path, Chat(), server)

    asyncio.run(scenario())
    assert list((tmp_path / "arrays").iterdir()) == []


def test_a_protocol_without_history_says_what_is_missing(tmp_path: Path) -> None:
    """Neither the database nor a history: the error names both."""

    class Forgetful(Chat):
        def history(self, channel: str, *, since: int, limit: int) -> Request | None:
            return None

    with pytest.raises(EnvironmentFailure, match="has no history, and the harness has no access to the database"):
        asyncio.run(audited(tmp_path, Forgetful(), NOBODY))
