"""The audit through the client protocol's history, with small servers: what a run stored, and what cannot be read."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from aiohttp import web

from harness.model.cluster import Endpoint, ServerAddress
from harness.model.errors import EnvironmentFailure
from harness.model.message import channel_name, message_text
from harness.model.plan import Plan
from harness.observation import audit as module
from harness.observation.audit import audit
from harness.protocol.chat import Chat
from harness.protocol.contract import ClientProtocol, HistoryPage, Request, Stored
from harness.recording.format import ALTERED, FOREIGN, SOUND
from tests.harness.plans import a_plan

PLAN = a_plan(clients=4, audience=2)
NO_SERVER = ServerAddress(name="server-9", host="127.0.0.1", port=1)
TEXTS = [message_text(PLAN.run_id, number, PLAN.text_bytes) for number in range(3)]
STORED = {
    channel_name(PLAN.run_id, 0): [TEXTS[0], TEXTS[2][:-1] + "~", "chatter"],
    channel_name(PLAN.run_id, 1): [TEXTS[1]],
}


@asynccontextmanager
async def serving(
    *, malformed: bool = False, page_rows: int = 1_000, lies: dict[str, Any] | None = None
) -> AsyncIterator[ServerAddress]:
    """One server that holds STORED."""

    async def history(request: web.Request) -> web.Response:
        if malformed:
            return web.Response(text="no JSON")
        since, limit = int(request.query["since"]), min(int(request.query["limit"]), page_rows)
        name = request.query["channel"]
        rows = [{"seq": seq, "text": text} for seq, text in enumerate(STORED[name], 1)]
        found = [row for row in rows if row["seq"] > since][:limit]
        body = {"ok": True, "channel": name, "messages": found, "last_seq": len(rows)}
        return web.json_response(body | (lies or {}))

    app = web.Application()
    app.router.add_get("/v1/conversations.history", history)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    try:
        yield ServerAddress(name="server-1", host="127.0.0.1", port=runner.addresses[0][1])
    finally:
        await runner.cleanup()


async def audited(
    folder: Path, protocol: ClientProtocol, *servers: ServerAddress, database: Any = None, plan: Plan = PLAN
) -> Any:
    (folder / "arrays").mkdir()
    cluster: Any = SimpleNamespace(servers=servers, token="t", database=database)
    try:
        await audit(cluster, plan, protocol, folder)
    finally:
        assert not list(folder.glob("arrays/*.part"))
    return np.load(folder / "arrays" / "stored.npy")


@pytest.mark.parametrize("page_rows", [1, 2, 1_000])
def test_every_stored_message_is_a_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, page_rows: int) -> None:
    """Rows are in order of channel and seq, with their message and their flaw. The number of messages in an answer does
    not matter."""
    monkeypatch.setattr(module, "HISTORY_ROWS", page_rows)

    async def scenario() -> Any:
        async with serving() as server:
            return await audited(tmp_path, Chat(), server)

    rows = asyncio.run(scenario())
    assert rows["message"].tolist() == [0, 2, -1, 1]
    assert rows["channel"].tolist() == [0, 0, 0, 1]
    assert rows["seq"].tolist() == [1, 2, 3, 1]
    assert rows["flaw"].tolist() == [SOUND, ALTERED, FOREIGN, SOUND]


@pytest.mark.parametrize("page_rows", [1, 2])
def test_a_short_page_is_not_the_end(tmp_path: Path, page_rows: int) -> None:
    """A server may send fewer messages than the harness asked for. `last_seq` says where the channel ends."""

    async def scenario() -> Any:
        async with serving(page_rows=page_rows) as server:
            return await audited(tmp_path, Chat(), server)

    assert asyncio.run(scenario())["seq"].tolist() == [1, 2, 3, 1]


@pytest.mark.parametrize(
    ("lies", "why"),
    [
        ({"messages": [], "last_seq": 9}, "makes no progress"),
        ({"messages": [{"seq": 1, "text": "again"}], "last_seq": 9}, "makes no progress"),
        ({"channel": "another"}, "expected the history of channel"),
        ({"last_seq": None}, "expected the JSON object"),
        ({"messages": [{"seq": -1, "text": "x"}]}, "expected seqs of at least 1"),
        ({"messages": [{"seq": 2**70, "text": "x"}]}, "expected seqs of at least 1"),
    ],
)
def test_a_history_that_cannot_be_true_is_named(tmp_path: Path, lies: dict[str, Any], why: str) -> None:
    """The audit fails, because half an audit would look like lost messages."""

    async def scenario() -> None:
        async with serving(lies=lies) as server:
            with pytest.raises(EnvironmentFailure, match=why):
                await audited(tmp_path, Chat(), server)

    asyncio.run(scenario())
    assert list((tmp_path / "arrays").iterdir()) == []


def test_a_history_without_an_end_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that invents messages fills neither memory nor disk."""
    monkeypatch.setattr(module, "HISTORY_LIMIT", 0)

    class Endless(Chat):
        def parse_history(self, status: int, body: bytes, channel: str) -> HistoryPage:
            self.seq = getattr(self, "seq", 0) + 1
            return HistoryPage(messages=[Stored(seq=self.seq, text="x")], last_seq=self.seq + 1)

    async def scenario() -> None:
        async with serving() as server:
            with pytest.raises(EnvironmentFailure, match="has more than"):
                await audited(tmp_path, Endless(), server)

    asyncio.run(scenario())


def test_a_database_is_read_only_where_its_table_is_known(tmp_path: Path) -> None:
    """An address alone does not say how another architecture stores its messages. The harness then asks the servers."""
    nowhere = Endpoint(kind="postgresql", host="127.0.0.1", port=1, user="u", password="", database="d")

    async def scenario() -> None:
        async with serving() as server:
            assert len(await audited(tmp_path, Chat(), server, database=nowhere)) == 4
            named = dataclasses.replace(PLAN, messages_table="theirs.posts")
            with pytest.raises(EnvironmentFailure, match="the database cannot be read: connection refused"):
                await audited(tmp_path / "named", Chat(), server, database=nowhere, plan=named)

    (tmp_path / "named").mkdir()
    asyncio.run(scenario())


def test_another_server_answers_for_one_that_is_away(tmp_path: Path) -> None:
    """All servers read the same database."""

    async def scenario() -> Any:
        async with serving() as server:
            return await audited(tmp_path, Chat(), NO_SERVER, server)

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
    """The audit has neither a known database table nor a history. The error names both."""

    class Forgetful(Chat):
        def history(self, channel: str, *, since: int, limit: int) -> Request | None:
            return None

    with pytest.raises(EnvironmentFailure, match="has no history, and the harness does not know the table"):
        asyncio.run(audited(tmp_path, Forgetful(), NO_SERVER))
