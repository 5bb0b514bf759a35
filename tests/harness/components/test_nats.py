"""The adapter of NATS against a real server."""

import asyncio
from dataclasses import replace

import pytest

from harness.components.nats import NatsAdapter, NatsRefusal
from harness.model.cluster import Endpoint
from tests.reference_server.real_broker import real_broker

pytestmark = pytest.mark.integration
NO_BROKER = Endpoint(kind="nats", host="127.0.0.1", port=1, user="harness", password="secret")


def test_readiness_settings_and_counters() -> None:
    """The server accepts only the right password. It counts bytes, messages and memory. With a wrong password the
    sampler raises."""

    async def main() -> None:
        async with real_broker("nats") as part:
            endpoint, adapter = part.endpoint, NatsAdapter()
            assert endpoint is not None
            assert await adapter.refusal(endpoint) is None
            assert "Authorization" in (await adapter.refusal(replace(endpoint, password="wrong")) or "")
            assert (await adapter.settings(endpoint))["version"]
            sampler = adapter.sampler(endpoint, timeout_s=1.0)
            first, second = await sampler.sample(), await sampler.sample()
            assert first["memory_bytes"] > 1_000_000
            assert first.keys() >= {"net_in_bytes", "net_out_bytes", "commands", "clients", "subscriptions"}
            assert second["net_out_bytes"] > first["net_out_bytes"]  # the first answer was sent
            await sampler.close()
            with pytest.raises(NatsRefusal):
                await adapter.sampler(replace(endpoint, password="wrong"), timeout_s=1.0).sample()

    asyncio.run(main())


def test_a_server_that_is_away_is_a_reason_and_has_no_settings() -> None:
    """Neither call raises, because a fault may have stopped the broker on purpose."""
    assert asyncio.run(NatsAdapter().refusal(NO_BROKER))
    assert asyncio.run(NatsAdapter().settings(NO_BROKER)) == {}
