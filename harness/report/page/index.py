"""results/index.html: every run of every scenario, the newest first, made from the verdicts on disk.

A verdict that is missing, damaged or of another version is a line that says so, never an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import msgspec

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.finding import Status
from harness.model.measurements.matrix_measurements import MatrixMeasurements
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.measurements.sweep_measurements import SweepMeasurements
from harness.model.plan import Plan
from harness.recording.format import EVENTS, PLAN, REPORT, VERDICT, VERSION
from harness.recording.reader import read_plan
from harness.report.page.files import replace
from harness.report.page.templates import fill
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.quantities import count, milliseconds
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


class Judged(msgspec.Struct, frozen=True, kw_only=True):
    """The parts of a verdict.json that the index reads; it does not read the findings."""

    status: Status
    plan: Plan
    run: RunMeasurements | None = None
    sweep: SweepMeasurements | None = None
    matrix: MatrixMeasurements | None = None


class _Versioned(msgspec.Struct, frozen=True, kw_only=True):
    version: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One run's folder. ``trouble`` says why there is no verdict; empty if there is one. The plan is known if this
    version planned the run."""

    scenario: str
    name: str
    link: str
    plan: Plan | None = None
    judged: Judged | None = None
    trouble: str = ""


def write_index(results: Path) -> Path:
    """List all runs below ``results`` in its ``index.html``; returns that path.

    Raises EnvironmentFailure if the folder cannot be read or written.
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
    """Run folders are two levels down; ``latest`` and other links are not counted as runs."""
    for scenario in results.iterdir():
        if scenario.is_dir() and not scenario.is_symlink():
            for run in scenario.iterdir():
                named = any((run / name).is_file() for name in (PLAN, EVENTS, VERDICT))
                if named and not run.is_symlink():
                    yield run


def _entry(results: Path, folder: Path) -> Entry:
    place = folder.relative_to(results)
    link = quote(str(place / REPORT)) if (folder / REPORT).is_file() else ""
    judged, trouble = _judged(folder / VERDICT)
    plan = judged.plan if judged else _planned(folder)
    return Entry(scenario=folder.parent.name, name=folder.name, link=link, plan=plan, judged=judged, trouble=trouble)


def _planned(folder: Path) -> Plan | None:
    """The plan is known even if the run was not judged."""
    try:
        return read_plan(folder)
    except (OSError, ValueError, RecursionError, UsageError, msgspec.MsgspecError):
        return None


def _judged(path: Path) -> tuple[Judged | None, str]:
    """The verdict in ``path``, or why there is none."""
    try:
        if path.stat().st_size > _DOCUMENT_BYTES_MAX:
            return None, f"{path.name} is too large to read"
        document = path.read_bytes()
        version = msgspec.json.decode(document, type=_Versioned).version
        if version is not None and version != VERSION:
            return None, f"{path.name} is of version {version}; this harness reads version {VERSION}"
        return msgspec.json.decode(document, type=Judged), ""
    except FileNotFoundError:
        return None, "no verdict"
    except (OSError, ValueError, RecursionError, msgspec.MsgspecError):
        return None, f"{path.name} cannot be read"


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
    plan, judged = entry.plan, entry.judged
    run, sweep = (judged.run, judged.sweep) if judged else (None, None)
    several = sweep or (judged.matrix if judged else None)
    delivery = several.delivery if several else run.delivery.measured if run and run.delivery else None
    deliveries_hz = run.rates.deliveries_hz if run else None
    if deliveries_hz is None and plan:
        deliveries_hz = plan.rate_hz * plan.audience
    lost = delivery.lost if delivery else None
    return (
        Cell(text=entry.name, link=entry.link),
        _verdict(entry),
        figures(", ".join(map(count, sweep.server_counts)) if sweep else count(plan and plan.servers)),
        figures(count(plan and plan.clients)),
        figures(count(plan and plan.rate_hz)),
        figures(count(plan and plan.audience)),
        figures(count(deliveries_hz)),
        _latency(plan, run, sweep),
        figures(count(delivery and delivery.delivered)),
        figures(count(lost), status="fail" if lost else ""),
    )


def _latency(plan: Plan | None, run: RunMeasurements | None, sweep: SweepMeasurements | None) -> Cell:
    """The P99 of the measure that the plan limits: of all deliveries, or of the live ones."""
    live = plan is not None and any(wish.measure == "live_latency_ms" for wish in plan.expectations)
    found = (run.live_latency if live else run.latency) if run else sweep.latency if sweep else None
    return Cell(text=milliseconds(found and found.p99_ms), lines=("live",) if live else (), numeric=True)


def _verdict(entry: Entry) -> Cell:
    if entry.judged is None:
        return Cell(text=entry.trouble, status="unknown")
    return Cell(text=STATUS_WORDS[entry.judged.status], status=entry.judged.status.value)
