"""The adapter of PostgreSQL where there is none."""

import asyncio

from harness.components.postgresql import PostgresqlAdapter, quoted
from harness.model.cluster import Endpoint


def answered(answer: bytes) -> tuple[str | None, dict[str, str]]:
    """What the adapter makes of a listener that answers so: whether it is refused, and the settings."""

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
    """A port that is open is not enough: a connection must really work."""
    for answer in (b"", b"HTTP/1.1 400 Bad Request\r\n\r\n"):
        refusal, settings = answered(answer)
        assert refusal
        assert settings == {}


def test_a_table_is_quoted() -> None:
    """A name is a name, whatever it holds."""
    assert quoted('a.b"c') == '"a"."b""c"'
