"""Holes are filled from the broker or from the log. A hole that stays open counts as lost after a limit."""

import asyncio
from typing import Any, cast

import pytest

from reference_server.backplane.sequencer import SequencerDown
from reference_server.message_log.base import Log, LogUnavailable
from reference_server.recovery import recent_log
from reference_server.recovery.recent_log import RecentLog


class Both:
    """What the broker and the log each have of channel c."""

    def __init__(self, kept: list[int], stored: list[int]) -> None:
        self.kept, self.stored = kept, stored
        self.broker_down = self.log_down = False

    async def recent(self, channels: Any) -> Any:
        if self.broker_down:
            raise SequencerDown
        return [[(seq, f"text {seq}") for seq in self.kept] for _ in channels]


class FakeLog:
    def __init__(self, both: Both) -> None:
        self._both = both
        self.append = self.store = None

    async def newest(self, channels: Any) -> dict[str, int]:
        return dict.fromkeys(channels, max(self._both.stored, default=0))

    async def after(self, asked: Any, limit: int) -> Any:
        if self._both.log_down:
            raise LogUnavailable
        return [[(seq, f"text {seq}") for seq in self._both.stored if seq > since][:limit] for _, since in asked]


def read(both: Both, since: int = 0, log: RecentLog | None = None) -> list[tuple[int, str | None]]:
    log = log or RecentLog(cast(Log, FakeLog(both)), cast(Any, both))
    (rows,) = asyncio.run(log.after([("c", since)], 100))
    return rows


def numbers(rows: list[tuple[int, str | None]]) -> list[int]:
    return [seq if text == f"text {seq}" else -seq for seq, text in rows]


def test_broker_and_log_fill_each_others_holes() -> None:
    """The log has the old messages. The broker has the messages that are not stored yet."""
    assert numbers(read(Both(kept=[4, 5], stored=[1, 2, 3, 4]))) == [1, 2, 3, 4, 5]


def test_what_the_broker_has_needs_no_log() -> None:
    """A frozen database does not delay the recovery of a message that was just published."""
    both = Both(kept=[4, 5], stored=[])
    both.log_down = True
    assert numbers(read(both, since=3)) == [4, 5]
    with pytest.raises(LogUnavailable):
        read(both, since=1)


def test_without_the_broker_the_log_is_read() -> None:
    both = Both(kept=[4], stored=[1, 2])
    both.broker_down = True
    assert numbers(read(both)) == [1, 2]


def test_a_hole_is_lost_only_after_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Until then a read ends before the hole. A message that comes in time is taken."""
    monkeypatch.setattr(recent_log, "HOLE_LIMIT_S", 0.02)
    both = Both(kept=[], stored=[1, 4])
    log = RecentLog(cast(Log, FakeLog(both)), cast(Any, both))
    assert numbers(read(both, log=log)) == [1]

    async def later() -> None:
        await asyncio.sleep(0.03)

    asyncio.run(later())
    assert numbers(read(both, log=log)) == [1, -2], "2 is lost; 3 is missed for the first time"
    both.stored = [1, 3, 4]
    assert numbers(read(both, log=log)) == [1, -2, 3, 4]


def test_a_log_that_is_away_makes_no_message_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log may have the message."""
    monkeypatch.setattr(recent_log, "HOLE_LIMIT_S", 0.0)
    both = Both(kept=[1, 3], stored=[2])
    both.log_down = True
    assert numbers(read(both)) == [1]
