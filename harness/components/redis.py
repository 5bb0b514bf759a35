"""Redis, or Valkey, as a component: readiness, settings, counters."""

import asyncio
import ssl
from typing import Any

import redis.asyncio
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from harness.components.adapter import Counters
from harness.model.cluster import Endpoint
from harness.model.errors import NeverReady
from harness.model.tls import Tls, certificate_problem, tls_context

ANSWER_TIMEOUT_S = 2.0
SETTINGS_TIMEOUT_S = 5.0
SETTINGS = ("maxmemory", "client-output-buffer-limit", "appendonly", "save", "io-threads")


_NEVER = (b"-WRONGPASS", b"-NOAUTH", b"-NOPERM", b"-ERR invalid password", b"-ERR AUTH", b"-ERR Client sent AUTH")
"""Refusals that waiting does not change."""


class RedisAdapter:
    errors: tuple[type[Exception], ...] = (redis.RedisError,)

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """None if it accepts the login and answers PING."""
        login = [endpoint.user, endpoint.password] if endpoint.user else [endpoint.password]
        commands = ([_command("AUTH", *login)] if any(login) else []) + [_command("PING")]
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(
                    endpoint.host, endpoint.port, ssl=None if endpoint.tls is None else tls_context(endpoint.tls)
                )
                try:
                    writer.write(b"".join(commands))
                    answers = [await reader.readline() for _ in commands]
                finally:
                    writer.close()
        except ssl.SSLError as error:
            raise NeverReady(f"Redis at {endpoint.place} refuses TLS: {error}") from error
        except OSError as error:
            return str(error) or type(error).__name__
        if answers[-1] == b"+PONG\r\n" and answers[0] in (b"+OK\r\n", answers[-1]):
            return None
        found = b" ".join(answers).decode("utf-8", "replace").strip()
        if answers[0].startswith(_NEVER):
            raise NeverReady(f"Redis at {endpoint.place} refuses the login: {found}")
        return found or "it closed the connection"

    async def no_access(self, endpoint: Endpoint, table: str) -> str | None:
        client = _client(endpoint, ANSWER_TIMEOUT_S)
        try:
            # One after the other, so that a refusal leaves no other connection half open.
            await client.info()
            await client.client_list(_type="pubsub")
        except redis.RedisError as error:
            cause = error.__cause__ or error.__context__
            if isinstance(cause, ssl.SSLCertVerificationError):
                return f"{certificate_problem(cause)} (for a broker: ?ssl_ca_certs=FILE)"
            return str(error) or f"no answer within {ANSWER_TIMEOUT_S:g} s"
        except (OSError, KeyError) as error:
            return f"expected the answers of a Redis server, found {type(error).__name__}: {error}"
        finally:
            await client.aclose()
        return None

    async def settings(self, endpoint: Endpoint) -> dict[str, str]:
        client = _client(endpoint, SETTINGS_TIMEOUT_S)
        try:
            server = await client.info("server")
            found = {"version": str(server.get("valkey_version") or server.get("redis_version", "?"))}
            found["program"] = str(server.get("server_name", "redis"))
            for name in SETTINGS:
                found |= {str(key): str(value) for key, value in (await client.config_get(name)).items()}
            return found
        except (OSError, redis.RedisError):
            return {}
        finally:
            await client.aclose()

    def sampler(self, endpoint: Endpoint, *, timeout_s: float) -> "RedisSampler":
        return RedisSampler(_client(endpoint, timeout_s))


class RedisSampler:
    """Reads INFO and the list of Pub/Sub clients."""

    def __init__(self, client: "redis.asyncio.Redis") -> None:
        self._client = client

    async def sample(self) -> Counters:
        info, subscribers = await asyncio.gather(self._client.info(), self._client.client_list(_type="pubsub"))
        return {
            "cpu_s": info["used_cpu_sys"] + info["used_cpu_user"],
            "net_in_bytes": info["total_net_input_bytes"],
            "net_out_bytes": info["total_net_output_bytes"],
            "commands": info["total_commands_processed"],
            "clients": info["connected_clients"],
            "pubsub_channels": info.get("pubsub_channels", 0),
            "subscriptions": sum(int(client["sub"]) for client in subscribers),
            "subscriber_output_bytes": sum(int(client["omem"]) for client in subscribers),
            "output_buffer_bytes": info.get("mem_clients_normal", 0),
            "memory_bytes": info["used_memory"],
        }

    async def close(self) -> None:
        await self._client.aclose()


def _command(*words: str) -> bytes:
    """A command as RESP, so that a password may hold any byte."""
    parts = [word.encode() for word in words]
    return b"*%d\r\n" % len(parts) + b"".join(b"$%d\r\n%b\r\n" % (len(part), part) for part in parts)


def _tls_arguments(tls: Tls | None) -> dict[str, Any]:
    if tls is None:
        return {}
    return {
        "ssl": True,
        "ssl_ca_data": tls.authorities or None,
        "ssl_check_hostname": True,
        "ssl_cert_reqs": "required",
    }


def _client(endpoint: Endpoint, timeout_s: float) -> "redis.asyncio.Redis":
    return redis.asyncio.Redis(
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.user or None,
        password=endpoint.password or None,
        db=int(endpoint.database or 0),
        **_tls_arguments(endpoint.tls),
        # The caller decides whether to try again.
        retry=Retry(NoBackoff(), 0),
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
    )
