import asyncio
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from planted_server.storage_bug import PlantedLines, StorageBug
from planted_server.storage_bugs import NeverStored, PublishedBeforeCommit, RolledBack, StoredElsewhere
from reference_server.message_log.base import LogUnavailable

CHANNEL = "r1.000000"


class Transaction:
    """Records how the transaction ended."""

    def __init__(self, log: list[str]) -> None:
        self._log = log

    async def start(self) -> None:
        self._log.append("begin")

    async def commit(self) -> None:
        self._log.append("commit")

    async def rollback(self) -> None:
        self._log.append("rollback")


class Writer:
    """A database connection that numbers the messages of one channel from ``first`` on."""

    def __init__(self, first: int, log: list[str]) -> None:
        self._first = first
        self._log = log

    async def fetch(self, statement: str, *arguments: Any) -> list[Any]:
        if "append_messages" in statement:
            return [(self._first + place, False) for place in range(len(arguments[0]))]
        self._log.append(statement.split()[0] + " " + " ".join(map(str, arguments)))
        return []

    def transaction(self) -> Transaction:
        return Transaction(self._log)

    @asynccontextmanager
    async def _exclusive(self) -> AsyncIterator[None]:
        yield

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator["Writer"]:
        yield self


class Log:
    def __init__(self, first: int, log: list[str]) -> None:
        self._writer = Writer(first, log)
        self._first = first

    async def append(self, channels: Sequence[str], texts: Sequence[str], ids: Sequence[str | None]) -> list[Any]:
        return [(self._first + place, False) for place in range(len(channels))]


def append(bug: type[StorageBug], path: Path, first: int = 4) -> list[str]:
    """The steps of the bug for a batch of two messages with the seqs ``first`` and ``first + 1``."""
    log: list[str] = []

    def publish(outgoing: Sequence[Any]) -> bool:
        log.extend(f"publish {each.channel} {each.seq}" for each in outgoing)
        return True

    planted = bug(Log(first, log), publish, PlantedLines(path))  # type: ignore[arg-type]  # a stand-in
    try:
        rows = asyncio.run(planted.append([CHANNEL, CHANNEL], ["a", "b"], [None, None]))
        log.append(f"rows {[row[0] for row in rows]}")
    except LogUnavailable:
        log.append("unavailable")
    return log


@pytest.mark.parametrize(
    ("bug", "steps"),
    [
        (NeverStored, ["DELETE r1.000000 5", "rows [4, 5]"]),
        (StoredElsewhere, ["UPDATE r1.000000 5 r1.000001 100000", "rows [4, 5]"]),
        (PublishedBeforeCommit, ["begin", "publish r1.000000 5", "commit", "rows [4, 5]"]),
        (RolledBack, ["begin", "publish r1.000000 5", "rollback", "unavailable"]),
    ],
)
def test_the_fifth_message_is_hit(tmp_path: Path, bug: type[StorageBug], steps: list[str]) -> None:
    """Each bug changes the steps for this message and counts one event."""
    path = tmp_path / "planted.txt"
    assert append(bug, path) == steps
    assert path.read_text().splitlines() == ["r1.000000 seq 5"]


@pytest.mark.parametrize("bug", [NeverStored, StoredElsewhere, PublishedBeforeCommit, RolledBack])
def test_other_messages_are_stored_as_they_should(tmp_path: Path, bug: type[StorageBug]) -> None:
    """The bug changes nothing and counts no event."""
    path = tmp_path / "planted.txt"
    assert append(bug, path, first=6)[-1] == "rows [6, 7]"
    assert path.read_text() == ""


def test_a_planted_server_does_not_start_by_itself(tmp_path: Path) -> None:
    """Only `harness prove` sets the variables that it needs. Without them the exit code is 2."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("PLANTED_")}
    ended = subprocess.run(
        [sys.executable, "-m", "planted_server", "--settings", str(tmp_path / "settings.json")],
        env=clean,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode == 2
    assert "only `harness prove` starts this server" in ended.stderr
