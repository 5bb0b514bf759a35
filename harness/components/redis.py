"""Redis, or Valkey, as a component: readiness, settings, counters."""

import asyncio

import redis.asyncio

from harness.components.adapter import Counters
from harness.model.cluster import Endpoint

ANSWER_TIMEOUT_S = 2.0
SETTINGS_TIMEOUT_S = 5.0
SETTINGS = ("maxmemory", "client-output-buffer-limit", "appendonly", "save", "io-threads")


class RedisAdapter:
    errors: tuple[type[Exception], ...] = (redis.RedisError,)

    async def refusal(self, endpoint: Endpoint) -> str | None:
        """None where it accepts the login and answers PING."""
        login = f"{endpoint.user} {endpoint.password}" if endpoint.user else endpoint.password
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                reader, writer = await asyncio.open_connection(endpoint.host, endpoint.port)
                try:
                    writer.write(f"AUTH {login}\r\nPING\r\n".encode())
                    answers = [await reader.readline(), await reader.readline()]
                finally:
                    writer.close()
        except OSError as error:
            return str(error) or type(error).__name__
        if answers == [b"+OK\r\n", b"+PONG\r\n"]:
            return None
        return b" ".join(answers).decode("utf-8", "replace").strip()

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


def _client(endpoint: Endpoint, timeout_s: float) -> "redis.asyncio.Redis":
    return redis.asyncio.Redis(
        host=endpoint.host,
        port=endpoint.port,
        username=endpoint.user or None,
        password=endpoint.password,
        socket_timeout=timeout_s,
        socket_connect_timeout=timeout_s,
    )
