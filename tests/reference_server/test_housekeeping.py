import asyncio
import gc
from collections.abc import Iterator

import pytest

from reference_server import housekeeping
from reference_server.metrics import Metrics
from tests.reference_server.fakes import until


@pytest.fixture
def _garbage_collector() -> Iterator[None]:
    """Restores the state of the garbage collector after the test."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


@pytest.mark.usefixtures("_garbage_collector")
def test_long_lived_objects_are_kept_from_the_garbage_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """The objects are frozen when the number of connections grows. They are unfrozen when half of the connections have
    left. The lag of the event loop is measured all the time."""
    monkeypatch.setattr(housekeeping, "INTERVAL_S", 0.001)

    async def main() -> None:
        connections = [0]
        metrics = Metrics()
        running = asyncio.create_task(housekeeping.run_housekeeping(lambda: connections[0], metrics))
        await until(lambda: metrics.loop_lag.count > 3)
        gc.unfreeze()  # an earlier test of this process may have frozen objects
        assert gc.get_freeze_count() == 0
        connections[0] = housekeeping.GROWTH
        await until(gc.get_freeze_count)
        connections[0] = housekeeping.GROWTH // 2 - 1
        await until(lambda: gc.get_freeze_count() == 0)
        running.cancel()

    asyncio.run(main())
