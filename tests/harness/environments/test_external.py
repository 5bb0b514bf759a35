"""Access to a cluster that the harness did not start."""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from harness.components.kernel import kernel_of
from harness.environments.external import external, parse_endpoint, read_endpoint
from harness.model.component import COMPONENT_KINDS, Role
from harness.model.errors import UsageError
from harness.protocol.chat import Chat

POSTGRESQL, REDIS = COMPONENT_KINDS.get("postgresql"), COMPONENT_KINDS.get("redis")


def test_access_to_the_database_is_read_from_its_address() -> None:
    """With it the audit asks PostgreSQL itself instead of the servers that are being judged."""
    found = parse_endpoint(POSTGRESQL, "postgresql://ada:s%40crt@db.example:5433/chat")
    assert (found.host, found.port, found.user, found.password, found.database) == (
        *("db.example", 5433, "ada", "s@crt", "chat"),
    )


def test_access_to_redis_is_read_from_its_address() -> None:
    """The port may be left out."""
    found = parse_endpoint(REDIS, "redis://:geheim@broker.example")
    assert (found.kind, found.host, found.port, found.password) == ("redis", "broker.example", 6379, "geheim")


def test_each_role_is_read_from_the_variable_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both are optional: without them figures are absent, and the audit asks the history route."""
    for kind in COMPONENT_KINDS:
        monkeypatch.delenv(kind.variable, raising=False)
    assert read_endpoint(Role.DATABASE) is None
    assert read_endpoint(Role.BROKER) is None
    monkeypatch.setenv("HARNESS_REDIS", "redis://:geheim@broker.example")
    found = read_endpoint(Role.BROKER)
    assert found is not None
    assert found.host == "broker.example"


@pytest.mark.parametrize("url", ["http://db/chat", "postgresql://", "postgresql://h:99999999/x", "db:5432"])
def test_an_address_that_is_none_is_refused_without_showing_it(url: str) -> None:
    """The value may hold a password, so the message shows only what was expected."""
    with pytest.raises(UsageError) as refused:
        parse_endpoint(POSTGRESQL, url)
    assert "HARNESS_DATABASE: expected postgresql://" in str(refused.value)
    assert "found something else" in str(refused.value)


def clock_of(*statements: object, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What the environment finds of the clock where each server's /healthz makes one of these statements."""
    monkeypatch.setenv("HARNESS_TOKEN", "t")

    async def served(statement: object, up: AsyncExitStack) -> str:
        async def healthy(_: web.Request) -> web.Response:
            return web.json_response({"ok": True, "clock": statement})

        application = web.Application()
        application.router.add_get("/healthz", healthy)
        runner = web.AppRunner(application)
        await runner.setup()
        up.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def main() -> str | None:
        async with AsyncExitStack() as up:
            urls = [await served(statement, up) for statement in statements]
            async with external(tuple(urls), Chat()) as cluster:
                return cluster.versions.get("clock")

    return asyncio.run(main())


def test_one_clock_is_found_only_where_every_server_states_this_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """A server of another boot, of another time namespace, or without a statement leaves the clock unknown."""
    kernel = kernel_of(os.getpid())
    here: dict[str, Any] = {"boot_id": kernel.boot_id, "time_namespace": kernel.time_namespace}
    assert clock_of(here, here, monkeypatch=monkeypatch) == "shared"
    for other in (here | {"boot_id": "another"}, here | {"time_namespace": "time:[1]"}, None):
        assert clock_of(here, other, monkeypatch=monkeypatch) is None, other
