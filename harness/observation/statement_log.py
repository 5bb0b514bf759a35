"""How long PostgreSQL took for each statement: its log of a run, turned into queries.npy.

The environment that starts PostgreSQL starts it with this log (`Topology.statement_log`). The harness does not change
settings of a running PostgreSQL, so an external cluster has no such log.
"""

import contextlib
import json
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import numpy as np

from harness.recording.arrays import RowFile
from harness.recording.format import ARRAYS, LOGS, QUERY, STATEMENTS
from harness.recording.reader import read_events

LOG = "database.log"
TEXT_CHARS = 120
STATEMENTS_MAX = 200
"""How many different texts are kept; all further statements are counted together as OTHERS."""
OTHERS = "others"
OURS = "harness"
"""The application names of the harness's own connections begin with this. Their statements are not part of the load."""

_HEAD = re.compile(r"(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)\.(\d{3}) [A-Z]+ \[\d+\] ?(.*?) ?LOG:  (.*)", re.DOTALL)
_DURATION = re.compile(r"duration: ([\d.]+) ms(?:  (parse|bind|execute|statement)[^:]*: (.*))?", re.DOTALL)


def collect(folder: Path) -> int:
    """Turn the log in ``folder`` into arrays/queries.npy and statements.json and take those lines out of it.

    Call it after PostgreSQL has ended. Returns the number of statements; 0 if there is no log.
    """
    log = folder / LOGS / LOG
    offset_ns = _monotonic_offset_ns(folder)
    if not log.is_file() or offset_ns is None:
        return 0
    numbers: dict[str, int] = {}
    rows: list[tuple[int, int, int]] = []
    rest = log.with_suffix(".rest")
    try:
        with log.open(encoding="utf-8", errors="replace") as source, rest.open("w", encoding="utf-8") as kept:
            for entry in _entries(source):
                parsed = _parsed(entry)
                if parsed is None:
                    kept.write(entry)
                    continue
                wall_ns, application, kind, text, duration_us = parsed
                # PostgreSQL logs parse, bind and execute of one statement; only the execution is counted.
                if kind in ("execute", "statement") and not application.startswith(OURS):
                    known = numbers if text in numbers or len(numbers) < STATEMENTS_MAX else {}
                    number = numbers.setdefault(text if known is numbers else OTHERS, len(numbers))
                    rows.append((wall_ns + offset_ns, number, duration_us))
        rest.replace(log)
    finally:
        with contextlib.suppress(OSError):
            rest.unlink(missing_ok=True)
    with RowFile(folder / ARRAYS / "queries.npy", QUERY) as file:
        file.append(np.array(rows, QUERY))
    (folder / ARRAYS / STATEMENTS).write_text(json.dumps(list(numbers)), encoding="utf-8")
    return len(rows)


def _entries(lines: Iterable[str]) -> Iterator[str]:
    """Log entries: a line with its continuations, which begin with a tab."""
    entry = ""
    for line in lines:
        if line.startswith("\t"):
            entry += line
            continue
        if entry:
            yield entry
        entry = line
    if entry:
        yield entry


def _parsed(entry: str) -> tuple[int, str, str, str, int] | None:
    """(wall-clock ns, application, kind, statement, µs) of an entry about a duration; None for any other."""
    head = _HEAD.search(entry)
    duration = _DURATION.match(head[4]) if head else None
    if head is None or duration is None:
        return None
    second = int(datetime.fromisoformat(head[1]).replace(tzinfo=UTC).timestamp())
    text = " ".join((duration[3] or "").split())[:TEXT_CHARS]
    wall_ns = second * 1_000_000_000 + int(head[2]) * 1_000_000
    return wall_ns, head[3], duration[2] or "", text, round(float(duration[1]) * 1000)


def _monotonic_offset_ns(folder: Path) -> int | None:
    """What to add to a wall-clock time for CLOCK_MONOTONIC, by the events, which have both; None without any."""
    differences = [
        event["at_ns"] - int(datetime.fromisoformat(event["wall"]).timestamp() * 1000) * 1_000_000
        for event in read_events(folder)
        if "wall" in event
    ]
    return int(median(differences)) if differences else None
