"""Stays connected to a broker: connects, serves, and tries again after each failure."""

import asyncio
import logging
import random
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Protocol, TypeVar

BACK_OFF_BASE_S = 0.05
BACK_OFF_CAP_S = 1.0

_log = logging.getLogger(__name__)


class Connection(Protocol):
    def abort(self) -> None: ...


C = TypeVar("C", bound=Connection)


class Reconnection:
    """One for all connections of a backplane: when one of them succeeds, the others retry at once."""

    def __init__(self) -> None:
        self._reachable = asyncio.Event()

    async def keep(self, role: str, connect: Callable[[], Awaitable[C]], serve: Callable[[C], Awaitable[None]]) -> None:
        """Connect and serve, again after each OSError, until cancelled. The pause before a retry is random and its
        limit doubles (full jitter), so that servers that lost the broker at the same moment do not reconnect at the
        same moment."""
        failures = 0
        while True:
            connection = None
            try:
                connection = await connect()
                _log.info("backplane %s connected", role)
                connected_s = time.monotonic()
                self._reachable.set()
                await serve(connection)
            except OSError as error:
                # A connection that was lost at once counts as a failure: a broker may close it again and again.
                if connection is not None and time.monotonic() - connected_s > BACK_OFF_CAP_S:
                    failures = 0
                if failures == 0:
                    _log.warning("backplane %s down: %s", role, error or type(error).__name__)
                failures += 1
                self._reachable.clear()
            finally:
                if connection is not None:
                    connection.abort()
            limit_s = min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 10))
            with suppress(TimeoutError):
                async with asyncio.timeout(random.uniform(0, limit_s)):  # noqa: S311  # jitter, not a secret
                    await self._reachable.wait()
