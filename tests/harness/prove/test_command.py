"""`harness prove` from its selection to its files. A stand-in replaces the series of proofs."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from harness.prove import command


def test_an_interruption_before_the_first_row_leaves_no_proof(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """There is no row to keep."""

    async def interrupted(*arguments: Any, **named: Any) -> None:
        raise asyncio.CancelledError

    monkeypatch.setattr(command, "prove", interrupted)
    selection: Any = type("Selection", (), {"bugs": (), "scope": "all"})
    with pytest.raises(KeyboardInterrupt):
        asyncio.run(command._until_interrupted(selection, tmp_path, lambda row, proof: None))


def test_an_interruption_keeps_the_rows_so_far(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The last reported proof is the result."""
    row: Any = object()
    proof: Any = object()
    kept: list[Any] = []

    async def interrupted(*arguments: Any, say: Any, **named: Any) -> None:
        say(row, proof)
        raise asyncio.CancelledError

    monkeypatch.setattr(command, "prove", interrupted)
    selection: Any = type("Selection", (), {"bugs": (), "scope": "all"})
    found = asyncio.run(command._until_interrupted(selection, tmp_path, lambda *told: kept.append(told)))
    assert found is proof
    assert kept == [(row, proof)]
