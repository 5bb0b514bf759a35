import asyncio
from pathlib import Path

import pytest

from harness.environments.ports import free_ports
from harness.model.registry import load
from harness.prove.constant_delay_target import serve
from harness.prove.planted_events import PlantedEvents
from harness.prove.way.proxy import Proxy
from tests.harness.prove.test_constant_delay_target import TOKEN, conversation, until_listening


def through_proxy(bug: str, events: Path) -> dict[str, object]:
    """A conversation with two servers through the proxy."""

    async def everything() -> dict[str, object]:
        # All ports in one call: a second call may return ports of the first.
        chosen = free_ports(4)
        ports, upstream = chosen[:2], chosen[2:]
        planted = load(f"harness.prove.way.{bug}")(events=PlantedEvents(events))
        running = [
            asyncio.create_task(serve(upstream, TOKEN, 0)),
            asyncio.create_task(Proxy(planted).serve(ports, upstream)),
        ]
        try:
            async with asyncio.timeout(20):
                await until_listening(*upstream, *ports)
                return await conversation(ports)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)

    return asyncio.run(everything())


@pytest.mark.parametrize("bug", ["many_deliveries:Faithful", "many_deliveries:Fragmented", "answers:Chunked"])
def test_what_is_allowed_changes_nothing_for_a_client(tmp_path: Path, bug: str) -> None:
    """Handshake, confirmation, answer, delivery, history and trace are right through the proxy."""
    found = through_proxy(bug, tmp_path / "planted.txt")
    assert found["confirmed"] == {"type": "subscribed", "channel": "c", "seq": 0}
    assert found["posted"] == {"ok": True, "channel": "c", "seq": 1, "duplicate": False}
    assert found["delivered"] == {"type": "message", "channel": "c", "seq": 1, "text": "hello"}
    assert found["refused"] == 401
