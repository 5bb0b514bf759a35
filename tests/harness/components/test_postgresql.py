"""The adapter of PostgreSQL: listeners that are not PostgreSQL, quoted names, and a sample of a real server."""

import asyncio

import asyncpg
import pytest

from harness.components.postgresql import PostgresqlAdapter, quoted
from harness.model.cluster import Endpoint
from tests.reference_server.stack import Postgres, running_postgres


def answered(answer: bytes) -> tuple[str | None, dict[str, str]]:
    """The adapter's refusal and the settings, for a listener that sends ``answer``."""

    async def main() -> tuple[str | None, dict[str, str]]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(8)
            writer.write(answer)
            writer.close()

        async with await asyncio.start_server(serve, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            endpoint = Endpoint(kind="postgresql", host="127.0.0.1", port=port, user="u", password="p", database="d")
            adapter = PostgresqlAdapter()
            return await adapter.refusal(endpoint), await adapter.settings(endpoint)

    return asyncio.run(main())


def test_a_listener_that_is_no_postgresql_is_refused_and_has_no_settings() -> None:
    """An open port is not enough: a connection must really work."""
    for answer in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        refusal, settings = answered(answer)
        assert refusal
        assert settings == {}


def test_a_table_is_quoted() -> None:
    """Dots stay separators, and quotes inside a name are doubled."""
    assert quoted('a.b"c') == '"a"."b""c"'


@pytest.mark.integration
def test_a_sample_tells_the_notification_queue_and_what_statements_wait_for() -> None:
    """A transaction that waits for another one's lock is counted under the event that it waits for."""

    async def main(postgres: Postgres) -> None:
        endpoint = Endpoint(kind="postgresql", password="", **postgres.settings)
        sampler = PostgresqlAdapter().sampler(endpoint, timeout_s=5)
        holder, waiter = [await asyncpg.connect(**postgres.settings) for _ in range(2)]
        lock = "SELECT pg_advisory_lock(1)"
        await holder.execute(lock)
        waiting = asyncio.create_task(waiter.execute(lock))
        async with asyncio.timeout(10):
            while "waits_Lock_advisory" not in (sample := await sampler.sample()):
                await asyncio.sleep(0.01)
        assert sample["waits_Lock_advisory"] == 1
        assert sample["notification_queue_share"] == 0
        await holder.close()
        await waiting
        await waiter.close()
        await sampler.close()

    with running_postgres() as postgres:
        asyncio.run(main(postgres))
