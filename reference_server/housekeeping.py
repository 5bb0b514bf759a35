"""What a server with thousands of connections does once in a while."""

import asyncio
import gc
import time
from collections.abc import Callable

from reference_server.metrics import Metrics

INTERVAL_S = 0.1
GROWTH = 250
"""connections more or less after which the garbage collector is told again"""
YOUNG_OBJECTS = 20_000


async def keep_house(connections: Callable[[], int], metrics: Metrics) -> None:
    """Measure how late the loop is, and keep the garbage collector off what lives long. Runs until cancelled.

    A connection is some hundred Python objects, and a full collection with 10,000 of them stops the loop for a good part
    of a second. Frozen, they are never looked at; thawed when many have left, so that what they leave behind is collected.
    """
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
    frozen = 0
    while True:
        due_s = time.monotonic() + INTERVAL_S
        await asyncio.sleep(INTERVAL_S)
        metrics.loop_lag.add(max(0.0, time.monotonic() - due_s))
        now = connections()
        if now >= frozen + GROWTH:
            gc.freeze()
            frozen = now
        elif now < frozen // 2:
            gc.unfreeze()
            frozen = now
