"""What the gateway wants from recovery."""

import asyncio
from collections.abc import Iterable


class RecoveryWork:
    """Two lists of channels and three wake-up events. The gateway adds, recovery waits and removes.

    ``unchecked``: channels whose position recovery compares with the log. ``behind``: channels that miss messages which the
    log has. ``follow_wanted``: the backplane does not bring what is committed, so recovery follows the log.
    """

    def __init__(self) -> None:
        self.unchecked: set[str] = set()
        self.check_wanted = asyncio.Event()
        self.behind: set[str] = set()
        self.fill_wanted = asyncio.Event()
        self.follow_wanted = asyncio.Event()

    def check(self, channels: Iterable[str]) -> None:
        self.unchecked.update(channels)
        self.check_wanted.set()

    def fill(self, channels: Iterable[str]) -> None:
        self.behind.update(channels)
        self.fill_wanted.set()

    def follow(self) -> None:
        self.follow_wanted.set()
