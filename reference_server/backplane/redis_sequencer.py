"""Numbers from Redis: one script gives the number, publishes, and keeps the message for servers that missed it. Redis
runs one script at a time, so in each channel messages are published in the order of their numbers. The data that Redis
keeps is bounded: the newest RECENT messages of a channel, and the ids of the last IDS_KEPT_MS. Redis removes a channel
without posts after CHANNEL_KEPT_MS; the channel then begins again after its newest stored seq.
"""

import asyncio
import random
from collections import deque
from collections.abc import Sequence
from typing import Any

import hiredis

from reference_server.backplane.reconnection import BACK_OFF_BASE_S, BACK_OFF_CAP_S
from reference_server.backplane.redis_publisher import Redis, login_of
from reference_server.backplane.redis_pubsub import PREFIX
from reference_server.backplane.resp_connection import Command, RespConnection
from reference_server.backplane.sequencer import Numbered, NumberUnknown, SequencerDown, Unseeded
from reference_server.protocol.client_requests import Post
from reference_server.protocol.server_events import Message, encode

RECENT = 200
IDS_KEPT_MS = 120_000
CHANNEL_KEPT_MS = 3_600_000
RECENT_KEPT_MS = 60_000
ANSWER_TIMEOUT_S = 2.0
NUMBERS, IDS, KEPT, EPOCH = b"seq:", b"id:", b"recent:", b"chat-epoch"

# A frame needs the number inside its JSON, so the script puts the frame together (RFC 6455 §5.2, as `text_frame` does).
SCRIPT = b"""
local seq_key, id_key, recent_key, epoch_key = KEYS[1], KEYS[2], KEYS[3], KEYS[4]
local topic, head, tail, text, known, seed, with_id = unpack(ARGV)
local epoch = redis.call('GET', epoch_key)
if not epoch then
  local now = redis.call('TIME')
  epoch = string.format('%.0f', now[1] * 1000 + math.floor(now[2] / 1000))
  redis.call('SET', epoch_key, epoch)
end
if with_id == '1' then
  local first = redis.call('GET', id_key)
  if first then return {tonumber(first), 1, tonumber(epoch)} end
end
local newest = redis.call('GET', seq_key) or seed
if newest == '' then return redis.error_reply('UNSEEDED') end
local seq = math.max(tonumber(newest), tonumber(known)) + 1
local digits = string.format('%.0f', seq)
redis.call('SET', seq_key, digits, 'PX', CHANNEL_KEPT_MS)
if with_id == '1' then redis.call('SET', id_key, digits, 'NX', 'PX', IDS_KEPT_MS) end
local payload, size = head .. digits .. tail, nil
if #payload < 126 then size = string.char(#payload)
elseif #payload < 65536 then size = string.char(126) .. struct.pack('>I2', #payload)
else size = string.char(127) .. struct.pack('>I8', #payload) end
local number = struct.pack('>I8', seq)
redis.call('RPUSH', recent_key, number .. text)
redis.call('LTRIM', recent_key, -RECENT_COUNT, -1)
redis.call('PEXPIRE', recent_key, RECENT_KEPT_MS)
redis.call('PUBLISH', topic, number .. string.char(129) .. size .. payload)
return {seq, 0, tonumber(epoch)}
"""
_CONSTANTS = {
    b"RECENT_COUNT": RECENT,
    b"RECENT_KEPT_MS": RECENT_KEPT_MS,
    b"CHANNEL_KEPT_MS": CHANNEL_KEPT_MS,
    b"IDS_KEPT_MS": IDS_KEPT_MS,
}


def _script() -> bytes:
    script = SCRIPT
    for name, value in _CONSTANTS.items():
        script = script.replace(name, str(value).encode())
    return script


class RedisSequencer:
    """Implements ``sequencer.Sequencer`` on a separate connection."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._connection: RespConnection | None = None
        self._asked: deque[asyncio.Future[Any]] = deque()
        self._up = asyncio.Event()
        self._script = _script()
        self._digest = b""

    async def run(self) -> None:
        failures = 0
        while True:
            connection = None
            try:
                connection = await RespConnection.open(
                    self._redis.host, self._redis.port, login_of(self._redis), self._on_replies
                )
                self._connection = connection
                self._digest = await self._ask(("SCRIPT", "LOAD", self._script))
                failures = 0
                self._up.set()
                await connection.keep_alive()
            except (OSError, SequencerDown, NumberUnknown):
                failures += 1
            finally:
                self._up.clear()
                self._connection = None
                if connection is not None:
                    connection.abort()
                self._fail_asked()
            limit_s = min(BACK_OFF_CAP_S, BACK_OFF_BASE_S * 2 ** min(failures, 10))
            await asyncio.sleep(random.uniform(0, limit_s))  # noqa: S311  # jitter, not a secret

    async def until_up(self) -> None:
        await self._up.wait()

    async def publish(self, post: Post, *, known: int, seed: int | None) -> Numbered:
        if not self._up.is_set():
            raise SequencerDown("the broker cannot be reached")
        channel, head_and_tail = post.channel.encode(), encode(Message(post.channel, 0, post.text))
        head, tail = head_and_tail.split(b'"seq":0', 1)  # a channel's name has no quotes
        identity = post.client_msg_id
        command: Command = (
            *("EVALSHA", self._digest, "4"),
            *(NUMBERS + channel, IDS + channel + b"/" + (identity or "").encode(), KEPT + channel, EPOCH),
            *(PREFIX + channel, head + b'"seq":', tail, post.text.encode(), str(known)),
            *("" if seed is None else str(seed), "0" if identity is None else "1"),
        )
        seq, duplicate, epoch = await self._ask(command)
        return Numbered(seq, bool(duplicate), epoch)

    async def find(self, channel: str, client_msg_id: str) -> int | None:
        found = await self._ask(("GET", IDS + channel.encode() + b"/" + client_msg_id.encode()))
        return None if found is None else int(found)

    async def newest(self, channels: Sequence[str]) -> dict[str, int]:
        if not channels:
            return {}
        found = await self._ask(("MGET", *[NUMBERS + channel.encode() for channel in channels]))
        return {channel: int(seq) for channel, seq in zip(channels, found, strict=True) if seq is not None}

    async def recent(self, channels: Sequence[str]) -> list[list[tuple[int, str]]]:
        found = await asyncio.gather(
            *[self._ask(("LRANGE", KEPT + channel.encode(), "0", "-1")) for channel in channels]
        )
        return [[(int.from_bytes(row[:8]), row[8:].decode()) for row in rows] for rows in found]

    async def _ask(self, command: Command) -> Any:
        connection = self._connection
        if connection is None or connection.lost:
            raise SequencerDown("the broker cannot be reached")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._asked.append(answer)
        connection.send(command)
        done, _ = await asyncio.wait((answer,), timeout=ANSWER_TIMEOUT_S)
        if not done:
            connection.abort()  # the broker is frozen: later answers will not come either
            raise NumberUnknown(f"no answer from the broker within {ANSWER_TIMEOUT_S:g} s")
        return answer.result()

    def _on_replies(self, replies: list[Any]) -> None:
        for reply in replies:
            if reply == b"PONG":
                continue  # of keep_alive
            if not self._asked:
                return
            answer = self._asked.popleft()
            if answer.done():
                continue
            if not isinstance(reply, hiredis.ReplyError):
                answer.set_result(reply)
            elif "UNSEEDED" in str(reply):
                answer.set_exception(Unseeded(str(reply)))
            else:
                answer.set_exception(SequencerDown(str(reply)))

    def _fail_asked(self) -> None:
        while self._asked:
            answer = self._asked.popleft()
            if not answer.done():
                answer.set_exception(NumberUnknown("the connection to the broker was lost"))
                answer.exception()  # the caller may have stopped waiting
