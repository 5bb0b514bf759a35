"""What a person sees in the terminal: tables, live progress, the verdict. Plain lines where the output is no terminal.

Progress and notes go to standard error, results to standard output, so that `--json` leaves nothing else there.
"""

import json
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from harness.model.backplane_setting import words
from harness.model.finding import Verdict
from harness.model.plan import Plan
from harness.model.proof import Proof, ProofRow
from harness.model.scenario import Scenario
from harness.model.watch import Progress, Watch

if TYPE_CHECKING:
    from harness.experiment import Outcome
    from harness.planning.planner import Planned
    from harness.preflight import Diagnosis

_PLAIN_EVERY_S = 5.0


def _out() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def print_json(value: Any) -> None:
    """``value`` on standard output, as JSON."""
    # ASCII alone: whatever encoding the reader expects, it is the same.
    json.dump(value, sys.stdout, indent=2)
    sys.stdout.write("\n")


def show_scenarios(scenarios: Sequence[Scenario], *, as_json: bool) -> None:
    if as_json:
        print_json([asdict(scenario) for scenario in scenarios])
        return
    for scenario in scenarios:
        load = scenario.load
        print(f"{scenario.name}  {scenario.title}")
        print(f"    {scenario.claim}")
        print(
            f"    full size: {load.servers} servers, {load.clients:,} clients, {load.rate_hz:,g} messages/s "
            f"for {load.duration_s:g} s, audience {load.audience}"
        )


def show_diagnosis(diagnosis: "Diagnosis", *, as_json: bool) -> None:
    if as_json:
        print_json(asdict(diagnosis))
        return
    table = Table(box=None, pad_edge=False, header_style="bold")
    for heading in ("", "what", "found", "what to do"):
        table.add_column(heading, overflow="fold")
    for advice in diagnosis.advice:
        mark = Text("ok", style="green") if advice.good else Text("low", style="yellow")
        table.add_row(mark, advice.what, Text(advice.found), Text("" if advice.good else advice.advice))
    _out().print(table)
    print("The embedded environment can run here." if diagnosis.able else "The embedded environment cannot run here.")


def show_plan(planned: "Planned", *, as_json: bool) -> None:
    plan = planned.plan
    if as_json:
        print_json({"plan": asdict(plan), "fits": not planned.shortfalls, "shortfalls": planned.shortfalls})
        return
    for line in plan_lines(plan):
        print(line)
    need = plan.need
    print(
        f"needs       {need.cores:.1f} cores · {need.memory_bytes / 1e9:.1f} GB memory · "
        f"{need.descriptors_per_process:,} descriptors in one process · {need.disk_bytes / 1e9:.1f} GB disk"
    )
    if planned.shortfalls:
        print("does not fit this machine:")
        for shortfall in planned.shortfalls:
            print(f"  - {shortfall}")
    else:
        print("fits        this machine")


def plan_lines(plan: Plan) -> Iterator[str]:
    """What will run, line by line, with every reduction."""
    yield f"{plan.scenario}  {plan.title} ({plan.size}, {plan.environment}, {plan.backplane}, {plan.write_path})"
    yield (
        f"load        {plan.servers} servers · {plan.clients:,} clients · {plan.rate_hz:,g} messages/s for "
        f"{plan.duration_s:g} s (+ {plan.warm_up_s:g} s warm-up) · audience {plan.audience:,} in {plan.channels:,} channels"
    )
    yield f"            = {plan.deliveries_per_s:,.0f} deliveries/s, {plan.workers} load workers, seed {plan.seed}"
    if plan.backplane_settings:
        yield f"backplane   {plan.backplane}: {words(plan.backplane_settings)}"
    for reduction in plan.reductions:
        yield f"reduced     {reduction.wanted} → {reduction.planned}, because {reduction.because}"
    if plan.pilot is not None and not plan.pilot.steps:
        yield "pilot       this size is tried for a few seconds first, and changed until this machine has room"


@contextmanager
def progress(plan: Plan) -> Iterator[Watch]:
    """A watch that shows the run on standard error: a live line in a terminal, else a plain line every few seconds."""
    console = Console(stderr=True, highlight=False)
    for line in plan_lines(plan):
        console.print(line, soft_wrap=True)
    with watching(console) as watch:
        yield watch


@contextmanager
def watching(console: Console | None = None) -> Iterator[Watch]:
    """A watch on standard error without a plan before it."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _PlainWatch()
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield _LiveWatch(live)


class _PlainWatch:
    """Lines for a log: one per phase and one every few seconds of it."""

    def __init__(self) -> None:
        self._began_s = time.monotonic()
        self._next_s = 0.0

    def phase(self, name: str) -> None:
        self._next_s = time.monotonic() + _PLAIN_EVERY_S
        self._line(name)

    def progress(self, progress: Progress) -> None:
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _PLAIN_EVERY_S
            self._line(describe_progress(progress))

    def note(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began_s:6.1f} s] {text}", file=sys.stderr, flush=True)


class _LiveWatch:
    """One line per finished phase, and one that lives."""

    def __init__(self, live: Live) -> None:
        self._live = live
        self._phase = ""
        self._phase_began_s = time.monotonic()

    def phase(self, name: str) -> None:
        if self._phase:
            took_s = time.monotonic() - self._phase_began_s
            self._live.console.print(f"  [green]✓[/] {self._phase} [dim]{took_s:.1f} s[/]")
        self._phase, self._phase_began_s = name, time.monotonic()
        self._live.update(Text(f"  … {name}"))

    def progress(self, progress: Progress) -> None:
        took_s = time.monotonic() - self._phase_began_s
        self._live.update(Text(f"  … {self._phase} {took_s:.0f} s  {describe_progress(progress)}"))

    def note(self, text: str) -> None:
        self._live.console.print(Text(f"  {text}"))


def describe_progress(progress: Progress) -> str:
    """The load's state in one line."""
    if not progress.sent:
        return f"connected {progress.connected:,}, subscribed {progress.subscribed:,} of {progress.clients:,}"
    parts = [f"sent {progress.sent:,}", f"acknowledged {progress.acknowledged:,}", f"delivered {progress.delivered:,}"]
    if refused := progress.rejected + progress.indeterminate:
        parts.append(f"refused or unanswered {refused:,}")
    if progress.p50_ms is not None and progress.p95_ms is not None and progress.p99_ms is not None:
        parts.append(f"P50 {progress.p50_ms:.0f} P95 {progress.p95_ms:.0f} P99 {progress.p99_ms:.0f} ms")
    return " · ".join(parts)


def show_verdict(verdict: Verdict, folder: Path, *, as_json: bool) -> None:
    from harness.recording.writer import verdict_document
    from harness.report.text.terminal import render_verdict

    if as_json:
        print_json(verdict_document(verdict))
        return
    _out().print(render_verdict(verdict))
    report = folder / "report.html"
    if report.exists():
        print(f"report: {report}")


def show_outcome(outcome: "Outcome", *, as_json: bool) -> None:
    if outcome.why:
        print(f"harness: {outcome.why}", file=sys.stderr)
    if outcome.verdict is not None:
        show_verdict(outcome.verdict, outcome.folder, as_json=as_json)
    else:
        print(f"harness: what was recorded so far is in {outcome.folder}", file=sys.stderr)


def show_rebroadcast(found: Mapping[str, Mapping[str, int]], *, as_json: bool) -> None:
    if as_json:
        print_json({url: dict(counts) for url, counts in found.items()})
        return
    for url, counts in found.items():
        print(
            f"{url}: {counts['messages']:,} messages delivered that were missing, {counts['channels']:,} channels looked at"
        )


def show_proof_row(row: ProofRow) -> None:
    """Progress of a proof: each row when it is known."""
    from harness.report.text.proof_lines import row_lines

    for line in row_lines(row):
        print(line, file=sys.stderr, flush=True)


def show_proof(proof: Proof, page: Path, *, as_json: bool) -> None:
    import msgspec

    from harness.report.text.proof_lines import summary

    if as_json:
        print_json(msgspec.to_builtins(proof))
        return
    print(summary(proof))
    print(f"table: {page}")
