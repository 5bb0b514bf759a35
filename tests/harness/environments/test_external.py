"""Access to a cluster that the harness did not start."""

import asyncio
import os
from contextlib import AsyncExitStack
from typing import Any

import pytest
from aiohttp import web

from harness.components.kernel import kernel_of
from harness.environments.external import external, read_endpoint
from harness.model.cluster import Topology
from harness.model.component import COMPONENT_KINDS, Role
from harness.model.errors import EnvironmentFailure
from harness.protocol.chat import Chat


def a_topology(*urls: str, **changes: Any) -> Topology:
    return Topology(
        servers=len(urls), backplane="redis", write_path="db-first", run_id="rtest", server_urls=urls, **changes
    )


def test_a_server_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """The harness reports this before any load. The message is in plain words and does not quote a library's error."""
    monkeypatch.setenv("HARNESS_TOKEN", "t")

    async def main() -> None:
        async with external(a_topology("http://127.0.0.1:1"), Chat()):
            pass

    with pytest.raises(
        EnvironmentFailure, match=r"http://127\.0\.0\.1:1 does not answer: connection refused"
    ) as refused:
        asyncio.run(main())
    assert "ssl" not in str(refused.value)


def test_each_role_is_read_from_the_variable_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both variables are optional. Without them some figures are absent, and the audit uses the history route."""
    for kind in COMPONENT_KINDS:
        monkeypatch.delenv(kind.variable, raising=False)
    assert read_endpoint(Role.DATABASE) is None
    assert read_endpoint(Role.BROKER) is None
    monkeypatch.setenv("HARNESS_REDIS", "redis://:geheim@broker.example")
    found = read_endpoint(Role.BROKER)
    assert found is not None
    assert found.host == "broker.example"


def clock_of(*statements: object, monkeypatch: pytest.MonkeyPatch) -> str | None:
    """What the environment finds out about the clock. Each server answers /healthz with one of ``statements``."""
    monkeypatch.setenv("HARNESS_TOKEN", "t")

    async def served(statement: object, up: AsyncExitStack) -> str:
        async def healthy(_: web.Request) -> web.Response:
            return web.json_response({"ok": True, "clock": statement})

        application = web.Application()

        async def socket(request: web.Request) -> web.WebSocketResponse:
            opened = web.WebSocketResponse()
            await opened.prepare(request)
            await opened.receive()
            return opened

        application.router.add_get("/healthz", healthy)
        application.router.add_get("/v1/ws", socket)
        runner = web.AppRunner(application)
        await runner.setup()
        up.push_async_callback(runner.cleanup)
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        return f"http://127.0.0.1:{runner.addresses[0][1]}"

    async def main() -> str | None:
        async with AsyncExitStack() as up:
            urls = [await served(statement, up) for statement in statements]
            async with external(a_topology(*urls), Chat()) as cluster:
                return cluster.versions.get("clock")

    return asyncio.run(main())


def test_one_clock_is_found_only_where_every_server_states_this_kernel(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock is unknown if a server states another boot or another time namespace, or states nothing."""
    kernel = kernel_of(os.getpid())
    here: dict[str, Any] = {"boot_id": kernel.boot_id, "time_namespace": kernel.time_namespace}
    assert clock_of(here, here, monkeypatch=monkeypatch) == "shared"
    for other in (here | {"boot_id": "another"}, here | {"time_namespace": "time:[1]"}, None):
        assert clock_of(here, other, monkeypatch=monkeypatch) is None, other
