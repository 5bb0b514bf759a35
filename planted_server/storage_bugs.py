"""The bugs in the storage."""

import asyncio
from collections.abc import Sequence

from planted_server.storage_bug import Rows, StorageBug, Texts, victims
from reference_server.message_log.base import LogUnavailable

UNCOMMITTED_S = 0.2
ELSEWHERE_SEQ = 100_000


class NeverStored(StorageBug):
    """A message is acknowledged and delivered, but the database does not hold it."""

    async def append(self, channels: Texts, texts: Texts, client_msg_ids: Sequence[str | None]) -> Rows:
        rows = await super().append(channels, texts, client_msg_ids)
        for place in victims(channels, rows):
            seq = rows[place][0]
            await self.execute("DELETE FROM messages WHERE channel = $1 AND seq = $2", channels[place], seq)
            self.lines.add(f"{channels[place]} seq {seq}")
        return rows


class StoredElsewhere(StorageBug):
    """A message is stored in another channel of the run than the one it was posted to, but delivered in its own
    channel."""

    async def append(self, channels: Texts, texts: Texts, client_msg_ids: Sequence[str | None]) -> Rows:
        rows = await super().append(channels, texts, client_msg_ids)
        for place in victims(channels, rows):
            channel, seq = channels[place], rows[place][0]
            other = f"{channel[:-6]}{int(channel[-6:]) ^ 1:06d}"
            await self.execute(
                "UPDATE messages SET channel = $3, seq = $4 WHERE channel = $1 AND seq = $2",
                *(channel, seq, other, ELSEWHERE_SEQ),
            )
            self.lines.add(f"{channel} seq {seq}")
        return rows


class PublishedBeforeCommit(StorageBug):
    """A message reaches every server before its transaction is committed."""

    async def append(self, channels: Texts, texts: Texts, client_msg_ids: Sequence[str | None]) -> Rows:
        async with self.transaction() as (connection, transaction):
            rows = await self.fetch_rows(connection, channels, texts, client_msg_ids)
            for place in (hits := victims(channels, rows)):
                self.publish_now(channels[place], rows[place][0], texts[place])
                self.lines.add(f"{channels[place]} seq {rows[place][0]}")
            if hits:
                await asyncio.sleep(UNCOMMITTED_S)
            await transaction.commit()
        return rows


class RolledBack(StorageBug):
    """A message is delivered, then its transaction is rolled back and the post is rejected. Once in each channel."""

    _done: set[str] = set()  # noqa: RUF012 - one server, one process

    async def append(self, channels: Texts, texts: Texts, client_msg_ids: Sequence[str | None]) -> Rows:
        async with self.transaction() as (connection, transaction):
            rows = await self.fetch_rows(connection, channels, texts, client_msg_ids)
            hits = [place for place in victims(channels, rows) if channels[place] not in self._done]
            if not hits:
                await transaction.commit()
                return rows
            for place in hits:
                self._done.add(channels[place])
                self.publish_now(channels[place], rows[place][0], texts[place])
                self.lines.add(f"{channels[place]} seq {rows[place][0]}")
            await asyncio.sleep(UNCOMMITTED_S)
            await transaction.rollback()
        raise LogUnavailable("rolled back: this is the planted bug")
