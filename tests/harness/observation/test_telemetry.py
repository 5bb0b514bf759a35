"""Sampling the machine and the parts of a cluster."""

import asyncio
import gc
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from harness.model.cluster import Endpoint
from harness.observation.telemetry import Telemetry


@pytest.mark.parametrize("steps", range(6))
def test_it_may_end_at_any_step_of_a_sample(tmp_path: Path, steps: int) -> None:
    """Also before a part was asked: nothing is left unawaited (pytest turns such a warning into a failure)."""
    cluster: Any = SimpleNamespace(
        components=(),
        broker=Endpoint(kind="redis", host="127.0.0.1", port=1, password=""),
        database=Endpoint(kind="postgresql", host="127.0.0.1", port=1, user="u", password="", database="d"),
    )

    async def scenario() -> None:
        async with Telemetry(cluster, generator=tuple, path=tmp_path / "telemetry.jsonl"):
            for _ in range(steps):
                await asyncio.sleep(0)

    asyncio.run(scenario())
    gc.collect()
