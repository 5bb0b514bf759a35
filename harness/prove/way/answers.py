"""Bugs in the answers to posts and in the history."""

import asyncio
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from harness.prove.way.http_message import HttpMessage, in_chunks, json_response
from harness.prove.way.victims import VICTIM_SEQ, VICTIMS
from harness.prove.way.way_bug import WayBug


@dataclass(slots=True, kw_only=True)
class OneAnswer(WayBug, ABC):
    """Breaks the answer to the fifth post of some channels. Option ``victims``: of how many."""

    victims: set[str] = field(default_factory=set)

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        found = response.json()
        if not request.path.endswith("chat.postMessage") or not found.get("ok") or not self._is_hit(found):
            return response.raw
        self.victims.add(str(found["channel"]))
        self.events.add(f"{found['channel']} seq {found['seq']}")
        return (await self.plant(found, response)).raw

    def _is_hit(self, found: Mapping[str, Any]) -> bool:
        fresh = found["channel"] not in self.victims and len(self.victims) < self.options.get("victims", VICTIMS)
        return bool(fresh and found["seq"] == VICTIM_SEQ)

    @abstractmethod
    async def plant(self, found: dict[str, Any], response: HttpMessage) -> HttpMessage:
        """The answer that the sender gets."""


class WrongSeq(OneAnswer):
    async def plant(self, found: dict[str, Any], response: HttpMessage) -> HttpMessage:
        return response.with_json({**found, "seq": found["seq"] + 1_000})


class WrongChannel(OneAnswer):
    async def plant(self, found: dict[str, Any], response: HttpMessage) -> HttpMessage:
        return response.with_json({**found, "channel": f"{found['channel']}-else"})


class DuplicateClaimed(OneAnswer):
    """The answer says that the post is a repetition."""

    async def plant(self, found: dict[str, Any], response: HttpMessage) -> HttpMessage:
        return response.with_json({**found, "duplicate": True})


class RejectedButStored(OneAnswer):
    """The message is stored and delivered, but the answer says that it certainly is not."""

    async def plant(self, found: dict[str, Any], response: HttpMessage) -> HttpMessage:
        return json_response(
            503, "Service Unavailable", {"ok": False, "error": "database_unavailable", "detail": "planted"}
        )


class Chunked(WayBug):
    """Every answer comes in chunks: the protocol allows that."""

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        if response.status == 101:
            return response.raw
        self.events.add(request.path)
        return in_chunks(response, 20)


class AnswersLate(WayBug):
    """Every answer to a post comes ``late_ms`` late; deliveries do not wait for it."""

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        if request.path.endswith("chat.postMessage"):
            self.events.add(request.path)
            await asyncio.sleep(self.options["late_ms"] / 1000)
        return response.raw


@dataclass(slots=True, kw_only=True)
class History(WayBug, ABC):
    """Changes the history of the run's channels."""

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        if not request.path.endswith("conversations.history"):
            return response.raw
        found = response.json()
        rows = msgspec.convert(found.get("messages", []), list[dict[str, Any]])
        return response.with_json({**found, "messages": self.rows(str(found.get("channel")), rows)}).raw

    @abstractmethod
    def rows(self, channel: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """The messages that the channel's history shows."""


class HistoryOmits(History):
    """The fifth message of each channel is missing."""

    def rows(self, channel: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        kept = [row for row in rows if row["seq"] != VICTIM_SEQ]
        for _ in range(len(rows) - len(kept)):
            self.events.add(channel)
        return kept


class HistoryAlters(History):
    """The fifth message of each channel has another text."""

    def rows(self, channel: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        for row in rows:
            if row["seq"] == VICTIM_SEQ:
                self.events.add(channel)
                row["text"] = row["text"][:-1] + "."
        return rows


class HistoryInShortPages(History):
    """A page holds at most seven messages, whatever the request is; ``last_seq`` shows that there are more."""

    def rows(self, channel: str, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if len(rows) > 7:
            self.events.add(channel)
        return rows[:7]


class TraceShowsLateCommit(WayBug):
    """By the trace the fifth message of each channel was committed half a second after its answer."""

    async def on_response(self, server: int, request: HttpMessage, response: HttpMessage) -> bytes:
        if not request.path.endswith("trace") or request.query.get("part") != "accepted":
            return response.raw
        found = response.json()
        rows = msgspec.convert(found["rows"], list[list[Any]])
        # The servers' traces also hold the messages of earlier runs.
        channels = {link.channel for link in self.links}
        for row in rows:
            if row[1] == VICTIM_SEQ and row[0] in channels:
                self.events.add(str(row[0]))
                row[3] += 500_000_000
                row[4] += 500_000_000
        return response.with_json({**found, "rows": rows}).raw
