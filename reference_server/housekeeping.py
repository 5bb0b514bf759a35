"""Regular maintenance of a server with thousands of connections."""

import asyncio
import gc
import time
from collections.abc import Callable

from reference_server.metrics import Metrics

INTERVAL_S = 0.1
GROWTH = 250
"""how many new connections make the next freeze"""
YOUNG_OBJECTS = 20_000


async def run_housekeeping(connections: Callable[[], int], metrics: Metrics) -> None:
    """Measure the lateness of the loop, and keep the garbage collector away from long-lived objects. Runs until
    cancelled.

    A connection is some hundred Python objects. A full collection with 10,000 connections stops the loop for hundreds
    of milliseconds. The collector never looks at frozen objects. When half of the connections have left, the objects
    are unfrozen, so that the collector frees the objects of the closed connections.
    """
    gc.set_threshold(YOUNG_OBJECTS, 20, 50)
    frozen = 0
    due_s = time.monotonic() + INTERVAL_S
    while True:
        await asyncio.sleep(due_s - time.monotonic())
        late_s = max(0.0, time.monotonic() - due_s)
        metrics.loop_lag.add_late(late_s, INTERVAL_S)
        due_s += (int(late_s / INTERVAL_S) + 1) * INTERVAL_S
        now = connections()
        if now >= frozen + GROWTH:
            gc.freeze()
            frozen = now
        elif now < frozen // 2:
            gc.unfreeze()
            frozen = now
