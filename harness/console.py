"""The terminal output: tables, live progress, the verdict. Plain lines if the output is not a terminal. Progress and
notes go to standard error, results to standard output, so that `--json` prints only JSON there.
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
    from harness.diagnosis import Diagnosis
    from harness.experiment import Outcome
    from harness.live.page import LivePage
    from harness.planning.planner import Planned

_PLAIN_EVERY_S = 10.0


def _out() -> Console:
    return Console(highlight=False, soft_wrap=not sys.stdout.isatty())


def print_json(value: Any) -> None:
    """``value`` on standard output, as JSON."""
    # Only ASCII, which is the same in every encoding.
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
    """The plan of a run, line by line, with every reduction."""
    yield f"{plan.scenario}  {plan.title} ({plan.size}, {plan.environment}, {plan.backplane}, {plan.write_path})"
    yield (
        f"load        {plan.servers} servers · {plan.clients:,} clients · {plan.rate_hz:,g} messages/s for "
        f"{plan.duration_s:g} s (+ {plan.warm_up_s:g} s warm-up) · audience {plan.audience:,} in {plan.channels:,} "
        "channels"
    )
    yield f"            = {plan.deliveries_per_s:,.0f} deliveries/s, {plan.workers} load workers, seed {plan.seed}"
    if plan.certificates:
        yield f"certificate {plan.certificates}"
    if plan.backplane_settings:
        yield f"backplane   {plan.backplane}: {words(plan.backplane_settings)}"
    for reduction in plan.reductions:
        yield f"reduced     {reduction.wanted} → {reduction.planned}, because {reduction.because}"
    if plan.pilot is not None and not plan.pilot.steps:
        yield "pilot       the harness first tries this size for a few seconds, and changes it until this machine has room"


@contextmanager
def progress(plan: Plan, *, after_s: float = 0.0, page: "LivePage | None" = None) -> Iterator[Watch]:
    """A watch that shows the run on standard error: a live line in a terminal, else a plain line every ten seconds.

    ``after_s``: the time of the runs after this one. ``page`` shows the recording of this run.
    """
    console = Console(stderr=True, highlight=False)
    for line in plan_lines(plan):
        console.print(line, soft_wrap=True)
    with watching(console, after_s=after_s, page=page) as watch:
        yield watch


@contextmanager
def watching(
    console: Console | None = None, *, after_s: float = 0.0, page: "LivePage | None" = None
) -> Iterator[Watch]:
    """A watch on standard error that prints no plan."""
    console = console or Console(stderr=True, highlight=False)
    if not console.is_terminal:
        yield _PlainWatch(after_s, page)
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield _LiveWatch(live, after_s, page)


@contextmanager
def live_view(port: int | None) -> "Iterator[LivePage | None]":
    """The live page while the block runs, its address on standard error; None without a port."""
    if port is None:
        yield None
        return
    from harness.live.page import live_page

    with live_page(port) as page:
        print(f"live: {page.address}", file=sys.stderr, flush=True)
        yield page


class _PlainWatch:
    """Lines for a log: one per phase and one every ten seconds of it."""

    def __init__(self, after_s: float, page: "LivePage | None") -> None:
        self._began_s = time.monotonic()
        self._next_s = 0.0
        self._after_s = after_s
        self._page = page

    def phase(self, name: str) -> None:
        self._line(name)
        self._next_s = time.monotonic() + _PLAIN_EVERY_S

    def recording(self, folder: Path) -> None:
        if self._page is not None:
            self._page.show(folder)

    def progress(self, progress: Progress) -> None:
        if time.monotonic() >= self._next_s:
            self._next_s = time.monotonic() + _PLAIN_EVERY_S
            self._line(describe_progress(progress, self._after_s))

    def note(self, text: str) -> None:
        self._line(text)

    def _line(self, text: str) -> None:
        print(f"[{time.monotonic() - self._began_s:6.1f} s] {text}", file=sys.stderr, flush=True)


class _LiveWatch:
    """One line per finished phase, and one that is updated."""

    def __init__(self, live: Live, after_s: float, page: "LivePage | None") -> None:
        self._live = live
        self._after_s = after_s
        self._page = page
        self._phase = ""
        self._phase_began_s = time.monotonic()

    def phase(self, name: str) -> None:
        if self._phase:
            took_s = time.monotonic() - self._phase_began_s
            self._live.console.print(f"  [green]✓[/] {self._phase} [dim]{took_s:.1f} s[/]")
        self._phase, self._phase_began_s = name, time.monotonic()
        self._live.update(Text(f"  … {name}"))

    def recording(self, folder: Path) -> None:
        if self._page is not None:
            self._page.show(folder)

    def progress(self, progress: Progress) -> None:
        took_s = time.monotonic() - self._phase_began_s
        words = describe_progress(progress, self._after_s)
        self._live.update(Text(f"  … {self._phase} {took_s:.0f} s  {words}"))

    def note(self, text: str) -> None:
        self._live.console.print(Text(f"  {text}"))


def describe_progress(progress: Progress, after_s: float = 0.0) -> str:
    """The state of the load in one line: counts, latencies, the load generator's health, the next fault, and the
    remaining time of this run and of all runs."""
    if not progress.sent:
        return f"connected {progress.connected:,}, subscribed {progress.subscribed:,} of {progress.clients:,}"
    parts = [f"sent {progress.sent:,}", f"delivered {progress.delivered:,} of {progress.expected:,} due"]
    if progress.missing:
        parts.append(f"missing now {progress.missing:,}")
    if refused := progress.rejected + progress.indeterminate:
        parts.append(f"refused or unanswered {refused:,}")
    if progress.p50_ms is not None and progress.p99_ms is not None:
        whole = "" if progress.whole_p99_ms is None else f" (since the start {progress.whole_p99_ms:.0f})"
        parts.append(f"P50 {progress.p50_ms:.0f} P99 {progress.p99_ms:.0f} ms{whole}")
    parts += _health(progress)
    if progress.fault is not None:
        when = "after the last post" if progress.fault.in_s is None else f"in {progress.fault.in_s:.0f} s"
        parts.append(f"{progress.fault.what} {when}")
    if progress.remaining_s is not None:
        whole = f", {(progress.remaining_s + after_s) / 60:.0f} min in all" if after_s else ""
        parts.append(f"{progress.elapsed_s:.0f} s elapsed, {progress.remaining_s:.0f} s left{whole}")
    return " · ".join(parts)


def _health(progress: Progress) -> list[str]:
    """The load generator: the lateness of its sender and its event loops, and its CPU."""
    found = []
    if progress.late_ms is not None and progress.lag_ms is not None:
        found.append(f"sender {progress.late_ms:.1f} ms late, loops {progress.lag_ms:.1f} ms")
    if progress.generator_cores is not None:
        found.append(f"generator {progress.generator_cores:.2f} cores")
    return found


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
        print(f"harness: the recording so far is in {outcome.folder}", file=sys.stderr)


def show_rebroadcast(found: Mapping[str, Mapping[str, int]], *, as_json: bool) -> None:
    if as_json:
        print_json({url: dict(counts) for url, counts in found.items()})
        return
    for url, counts in found.items():
        print(
            f"{url}: {counts['messages']:,} messages delivered that were missing, {counts['channels']:,} channels "
            "looked at"
        )


def show_proof_row(row: ProofRow) -> None:
    """Progress of a proof: each row when it is finished."""
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
