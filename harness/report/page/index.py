"""results/index.html: every run of every scenario, the newest first, made from the verdicts on disk.

Reads leniently: a verdict that is missing, half written or of another version is a line that says so, never an error.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from harness.model.errors import EnvironmentFailure
from harness.model.finding import Status
from harness.recording.format import EVENTS, PLAN, REPORT, VERDICT
from harness.report.page.files import replace
from harness.report.page.templates import fill
from harness.report.text.lookup import part, rows, value
from harness.report.text.quantities import UNKNOWN, count, milliseconds
from harness.report.text.table import Cell, Table, figures

INDEX = "index.html"
_RUNS_MAX = 1000
_DOCUMENT_BYTES_MAX = 32 * 1024 * 1024
_COLUMNS = (
    "Run",
    "Verdict",
    "Servers",
    "Clients",
    "Messages/s",
    "Audience",
    "Deliveries/s",
    "P99",
    "Delivered",
    "Lost",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run's folder. ``trouble`` says why there is no verdict; empty where there is one."""

    scenario: str
    name: str
    link: str
    document: Mapping[str, Any]
    trouble: str = ""


def write_index(results: Path) -> Path:
    """List all runs below ``results`` in its ``index.html``; returns that path.

    Raises EnvironmentFailure where the folder cannot be read or written.
    """
    path = results / INDEX
    try:
        entries = _entries(results)
        replace(path, _page(entries).encode(errors="replace"))
    except OSError as error:
        raise EnvironmentFailure(
            f"the index cannot be written: expected a readable and writable folder {results}, found: {error}"
        ) from error
    return path


def _entries(results: Path) -> list[Entry]:
    """The newest runs, at most `_RUNS_MAX`, newest first: a run's folder is named by its time."""
    folders = sorted(_folders(results), key=lambda folder: (folder.name, folder.parent.name), reverse=True)
    return [_entry(results, folder) for folder in folders[:_RUNS_MAX]]


def _folders(results: Path) -> Iterator[Path]:
    """Run folders are two levels down; ``latest`` and other links are not runs of their own."""
    for scenario in results.iterdir():
        if scenario.is_dir() and not scenario.is_symlink():
            for run in scenario.iterdir():
                named = any((run / name).is_file() for name in (PLAN, EVENTS, VERDICT))
                if named and not run.is_symlink():
                    yield run


def _entry(results: Path, folder: Path) -> Entry:
    place = folder.relative_to(results)
    link = quote(str(place / REPORT)) if (folder / REPORT).is_file() else ""
    document, trouble = _read(folder / VERDICT)
    if trouble:
        # What was planned is known even where nothing was judged.
        plan, _ = _read(folder / PLAN)
        document = {"plan": plan}
    return Entry(scenario=folder.parent.name, name=folder.name, link=link, document=document, trouble=trouble)


def _read(path: Path) -> tuple[Mapping[str, Any], str]:
    """The JSON object in ``path``, and why there is none."""
    try:
        if path.stat().st_size > _DOCUMENT_BYTES_MAX:
            return {}, f"{path.name} is too large to read"
        document = json.loads(path.read_bytes())
    except FileNotFoundError:
        return {}, "no verdict"
    except (OSError, ValueError, RecursionError):
        return {}, f"{path.name} cannot be read"
    return (document, "") if isinstance(document, dict) else ({}, f"{path.name} holds no verdict")


def _page(entries: list[Entry]) -> str:
    scenarios = sorted({entry.scenario for entry in entries})
    tables = [
        Table(
            caption=scenario,
            columns=_COLUMNS,
            rows=tuple(_row(entry) for entry in entries if entry.scenario == scenario),
        )
        for scenario in scenarios
    ]
    return fill("index.html", tables=tables, total=len(entries), full=len(entries) == _RUNS_MAX)


def _row(entry: Entry) -> tuple[Cell, ...]:
    plan, measured = part(entry.document, "plan"), part(entry.document, "measurements")
    rate, audience = value(plan, "rate_hz"), value(plan, "audience")
    planned_hz = None if rate is None or audience is None else rate * audience
    deliveries_hz = value(measured, "rates", "deliveries_hz")
    lost = value(measured, "delivery", "lost")
    return (
        Cell(text=entry.name, link=entry.link),
        _verdict(entry),
        figures(_servers(plan, measured)),
        figures(count(plan.get("clients"))),
        figures(count(rate)),
        figures(count(audience)),
        figures(count(planned_hz if deliveries_hz is None else deliveries_hz)),
        _latency(plan, measured),
        figures(count(value(measured, "delivery", "delivered"))),
        figures(count(lost), status="fail" if lost else ""),
    )


def _latency(plan: Mapping[str, Any], measured: Mapping[str, Any]) -> Cell:
    """The P99 of what the plan limits: of all deliveries, or of the live ones."""
    live = any(wish.get("measure") == "live_latency_ms" for wish in rows(plan, "expectations"))
    found = value(measured, "live_latency_ms" if live else "latency_ms", "p99")
    return Cell(text=milliseconds(found), lines=("live",) if live else (), numeric=True)


def _servers(plan: Mapping[str, Any], measured: Mapping[str, Any]) -> str:
    """The run's servers, or all counts of a sweep."""
    counts = part(measured, "sweep").get("server_counts")
    return ", ".join(map(count, counts)) if isinstance(counts, list) else count(plan.get("servers"))


def _verdict(entry: Entry) -> Cell:
    if entry.trouble:
        return Cell(text=entry.trouble, status="unknown")
    word = entry.document.get("status")
    if word in list(Status):
        return Cell(text=str(word).upper(), status=str(word))
    return Cell(text=UNKNOWN, status="unknown")
