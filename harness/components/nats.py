"""NATS as a component: readiness, settings, counters, over its own client protocol."""

import asyncio
import json
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from harness.components.adapter import Counters
from harness.model.cluster import Endpoint

ANSWER_TIMEOUT_S = 2.0
SETTINGS_TIMEOUT_S = 5.0
MONITOR_USER = "monitor"
"""The user of the system account of a NATS that the harness started, with the password of the other one: so the harness
needs no second port."""
SETTINGS = ("version", "max_payload", "max_pending", "write_deadline", "max_connections", "gomaxprocs")
COUNTERS = {
    "net_in_bytes": "in_bytes",
    "net_out_bytes": "out_bytes",
    "commands": "in_msgs",
    "messages_out": "out_msgs",
    "clients": "connections",
    "subscriptions": "subscriptions",
    "slow_consumers": "slow_consumers",
    "memory_bytes": "mem",
}
"""Our names, and those of NATS. NATS counts the bytes of payloads, without the protocol lines."""


class NatsRefusal(Exception):
    """NATS answered with an error, or with something else than was asked for."""


class NatsAdapter:
    errors: tuple[type[Exception], ...] = (NatsRefusal,)

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """None if it accepts the login and answers PING."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await (await _Client.open(endpoint, endpoint.user)).close()
        except (OSError, NatsRefusal) as error:
            return str(error) or type(error).__name__
        return None

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        sampler = self.sampler(endpoint, timeout_s=SETTINGS_TIMEOUT_S)
        try:
            async with asyncio.timeout(SETTINGS_TIMEOUT_S):
                found = await sampler.varz()
        except (OSError, NatsRefusal):
            return {}
        finally:
            await sampler.close()
        return {"program": "nats-server", **{name: str(found[name]) for name in SETTINGS if name in found}}

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> "NatsSampler":
        return NatsSampler(endpoint)


class NatsSampler:
    """Asks the server for its `varz` in the system account. A user of another account gets no answer: then the figures
    are absent."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._client: _Client | None = None

    async def sample(self) -> Counters:
        found = await self.varz()
        return {ours: found[theirs] for ours, theirs in COUNTERS.items() if theirs in found}

    async def varz(self) -> Mapping[str, Any]:
        """The server's figures about itself. Raises OSError and NatsRefusal; the caller must bound its time."""
        user = MONITOR_USER if self._endpoint.owned else self._endpoint.user
        try:
            if self._client is None:
                self._client = await _Client.open(self._endpoint, user)
            return await self._client.varz()
        except BaseException:
            await self.close()  # the answer to an abandoned request would be taken for the answer to the next one
            raise

    async def close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            await client.close()


class _Client:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._server_id = ""

    @classmethod
    async def open(cls, endpoint: Endpoint, user: str) -> "_Client":
        """A connection whose login was accepted. Raises OSError and NatsRefusal."""
        client = cls(*await asyncio.open_connection(endpoint.host, endpoint.port))
        try:
            verb, info = await client._line()
            if verb != b"INFO":
                raise NatsRefusal(f"not a NATS server: {verb[:20].decode('utf-8', 'replace')}")
            client._server_id = json.loads(info)["server_id"]
            login = {"user": user, "pass": endpoint.password} if user else {"auth_token": endpoint.password}
            options = {"verbose": False, "pedantic": False, "name": "harness", **login}
            client._writer.write(b"CONNECT " + json.dumps(options).encode() + b"\r\nPING\r\n")
            await client._until(b"PONG")
        except (ValueError, KeyError) as error:
            await client.close()
            raise NatsRefusal(f"not a NATS server: {error}") from error
        except BaseException:
            await client.close()
            raise
        return client

    async def varz(self) -> Mapping[str, Any]:
        subject = f"$SYS.REQ.SERVER.{self._server_id}.VARZ"
        self._writer.write(f"SUB _INBOX.harness 1\r\nUNSUB 1 1\r\nPUB {subject} _INBOX.harness 0\r\n\r\n".encode())
        head = await self._until(b"MSG")
        payload = await self._reader.readexactly(int(head.split()[-1]) + 2)
        found: Mapping[str, Any] = json.loads(payload)["data"]
        return found

    async def close(self) -> None:
        with suppress(OSError):
            self._writer.close()

    async def _until(self, wanted: bytes) -> bytes:
        """The rest of the first line with this verb."""
        while True:
            verb, rest = await self._line()
            if verb == b"-ERR":
                raise NatsRefusal(rest.decode("utf-8", "replace"))
            if verb == b"HMSG":
                raise NatsRefusal("this user may not ask the server about itself")
            if verb == wanted:
                return rest
            if verb == b"PING":
                self._writer.write(b"PONG\r\n")

    async def _line(self) -> tuple[bytes, bytes]:
        line = await self._reader.readline()
        if not line:
            raise ConnectionResetError("closed by the server")
        verb, _, rest = line.strip().partition(b" ")
        return verb, rest
