"""The story of one run: plan, up, connect, warm up, measure, drain, collect, seal, judge, render. Tears down whatever
happens; whatever was recorded before something went wrong is kept and judged."""

import asyncio
import contextlib
import time
import traceback
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from harness import __version__
from harness.environments import open_environment
from harness.exit_codes import ExitCode, of_status
from harness.interruption import interrupting_signals
from harness.load.engine.engine import Engine
from harness.load.fault_injection import FaultInjection
from harness.load.fleet import Fleet
from harness.model.cluster import Cluster, Topology
from harness.model.engine import ENGINES
from harness.model.errors import EnvironmentFailure, HarnessError, WorkerLost
from harness.model.finding import Verdict
from harness.model.plan import Plan
from harness.model.registry import load
from harness.model.watch import Watch
from harness.observation import statement_log
from harness.observation.answers import ask_servers
from harness.observation.audit import audit
from harness.observation.clocks import find_clocks
from harness.observation.limits import raise_descriptor_limit
from harness.observation.machine import describe_machine
from harness.observation.telemetry import Telemetry
from harness.observation.trace_collector import collect_traces
from harness.protocol import open_protocol
from harness.protocol.contract import ClientProtocol
from harness.recording.seal import end_recording
from harness.recording.writer import Journal, create_folder, write_clocks

CONNECT_LIMIT_S = 300.0
CONNECTED_HZ_AT_LEAST = 250.0
PROBE_LIMIT_S = 30.0
PROBED_HZ_AT_LEAST = 200.0
"""Many clients take longer to connect, many channels longer to probe: at least so many each second."""
POST_LIMIT_S = 30.0
"""How long after the schedule's end the last posts may stay unanswered."""
QUIET_S = 5.0
DRAIN_LIMIT_S = 60.0
COLLECT_LIMIT_S = 120.0
HURRIED_COLLECT_LIMIT_S = 10.0
LEAD_S = 0.5
"""Between telling the sender to start and the first intended time, so that the start itself is not late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a run ended. ``why`` is empty after a complete one; ``verdict`` is None where nothing could be judged."""

    folder: Path
    verdict: Verdict | None
    exit_code: ExitCode
    why: str


def run_experiment(
    plan: Plan,
    *,
    out: Path,
    watch: Watch,
    folder: Path | None = None,
    engine: Engine | None = None,
    with_report: bool = True,
) -> Outcome:
    """Run ``plan``, leave its recording in ``folder``, or else in a new one below ``out``, judge and render it
    (unless ``with_report`` is False).

    ``engine`` runs the load generator; without one it is the engine that the plan names. Raises EnvironmentFailure where
    not even the folder can be made.
    """
    raise_descriptor_limit()
    folder = folder or create_folder(out, plan)
    with Journal(folder) as journal:
        engine = engine or load(ENGINES.get(plan.engine).opener)(folder)
        run = _Run(plan=plan, folder=folder, journal=journal, watch=watch, engine=engine)
        ending = asyncio.run(_record(run))
        # On a full disk even this may not fit; a recording without an end is judged as one that ended early.
        with contextlib.suppress(OSError):
            end_recording(folder, journal, how=ending.how, why=ending.why)
    verdict: Verdict | None = None
    try:
        watch.phase("judge")
        verdict = judge_recording(folder)
        if with_report:
            watch.phase("report")
            render_report(folder)
    except HarnessError as error:
        # A run that never got as far as a recording has nothing to judge; its own ending is the news.
        if ending.exit_code is None:
            raise
        watch.note(f"not judged: {error}")
    exit_code = ending.exit_code
    if exit_code is None:
        assert verdict is not None
        exit_code = of_status(verdict.status)
    return Outcome(folder=folder, verdict=verdict, exit_code=exit_code, why=ending.why)


def judge_recording(folder: Path) -> Verdict:
    """Judge the recording in ``folder`` and write verdict.json and series.json beside it where that is possible."""
    from harness.checks.judge import judge
    from harness.recording.reader import Recording
    from harness.recording.writer import write_verdict

    verdict = judge(Recording.open(folder))
    write_verdict(folder, verdict)
    return verdict


def render_report(folder: Path) -> Path:
    """Write report.html and plots from the verdict in ``folder``, and the index of all results. Returns the page."""
    from harness.recording.proof_folder import last_proof
    from harness.recording.reader import read_events, read_machine, read_verdict
    from harness.report import write_index, write_report

    verdict = read_verdict(folder)
    proof = last_proof(__version__)
    page = write_report(folder, verdict, read_machine(folder), read_events(folder), proof)
    # Only where it lies among other results: not above a copy, nor above a run of a sweep, which has its own report.
    if folder.resolve().parent.name == verdict.plan.scenario:
        write_index(folder.resolve().parent.parent)
    return page


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ending:
    how: str
    why: str = ""
    exit_code: ExitCode | None = None
    """None: the verdict decides"""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Run:
    """One run from its start to its sealed recording, with what every phase needs."""

    plan: Plan
    folder: Path
    journal: Journal
    watch: Watch
    engine: Engine

    @property
    def protocol(self) -> ClientProtocol:
        return open_protocol(self.plan.protocol)

    @property
    def topology(self) -> Topology:
        plan = self.plan
        return Topology(
            servers=plan.servers,
            backplane=plan.backplane,
            write_path=plan.write_path,
            run_id=plan.run_id,
            protocol=plan.protocol,
            recovery=plan.recovery,
            server_module=plan.server_module,
            server_urls=plan.server_urls,
        )

    def enter(self, phase: str) -> None:
        self.journal.event("phase", name=phase)
        self.watch.phase(phase)


async def _record(run: _Run) -> _Ending:
    """Everything up to the sealed recording. Errors become the ending; nothing is left running."""
    body = asyncio.current_task()
    assert body is not None
    loop = asyncio.get_running_loop()
    for number in interrupting_signals():
        loop.add_signal_handler(number, _interrupt, body, run.watch)
    try:
        await _conduct(run)
    except asyncio.CancelledError:
        return _Ending(how="interrupted", why="interrupted; everything is torn down", exit_code=ExitCode.INTERRUPTED)
    except WorkerLost as error:
        return _Ending(how="casualty", why=str(error), exit_code=ExitCode.UNKNOWN)
    except (HarnessError, OSError) as error:
        return _Ending(how="failed", why=_words(error), exit_code=ExitCode.ENVIRONMENT)
    except Exception as error:
        run.watch.note(traceback.format_exc())
        why = f"a defect of the harness itself: {_words(error)}"
        return _Ending(how="failed", why=why, exit_code=ExitCode.ENVIRONMENT)
    return _Ending(how="complete")


def _interrupt(body: "asyncio.Task[object]", watch: Watch) -> None:
    # Later signals cancel again: that cuts a slow teardown short, and what it then leaves, the guard ends.
    body.cancel()
    watch.note("stopping: tearing everything down")


def _words(error: Exception) -> str:
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


async def _conduct(run: _Run) -> None:
    plan, folder, watch = run.plan, run.folder, run.watch
    run.enter("start")
    async with AsyncExitStack() as up:
        cluster = await up.enter_async_context(
            open_environment(plan.environment, topology=run.topology, folder=folder, say=watch.note)
        )
        run.journal.machine(await describe_machine(cluster, folder))
        write_clocks(folder, find_clocks(cluster, workers=plan.workers))
        if plan.query_log and cluster.database is not None:
            await statement_log.switch_on(cluster.database, say=watch.note)
        fleet = Fleet(plan=plan, servers=cluster.servers, token=cluster.token, engine=run.engine)
        try:
            async with fleet, Telemetry(cluster, generator=fleet.components, path=folder / "telemetry.jsonl"):
                await _guarded(_load(run, cluster, fleet), cluster, fleet, watch)
        except BaseException:
            # The run was cut short, perhaps in the middle of a fault: a part that does not answer soon will not answer.
            await _collect(run, cluster, limit_s=HURRIED_COLLECT_LIMIT_S)
            raise
        run.journal.event("answering", servers=dict(await ask_servers(cluster, run.protocol)))
        await _collect(run, cluster, limit_s=COLLECT_LIMIT_S)
        # A part that died after the last delivery has no trace to give, and its death must not pass unnoticed.
        _raise_casualties_of(cluster)
    if plan.query_log:
        statement_log.collect(folder)
    run.enter("sealed")


async def _load(run: _Run, cluster: Cluster, fleet: Fleet) -> None:
    """The load: connect, probe, warm up, measure (with faults), drain."""
    plan, journal, watch = run.plan, run.journal, run.watch
    run.enter("connect")
    await fleet.connect(max(CONNECT_LIMIT_S, plan.clients / CONNECTED_HZ_AT_LEAST))
    run.enter("probe")
    expected, seen = await fleet.probe(max(PROBE_LIMIT_S, plan.channels / PROBED_HZ_AT_LEAST))
    journal.event("probe", expected=expected, seen=seen)
    if seen < expected:
        watch.note(f"only {seen:,} of {expected:,} clients saw their channel's probe; the run goes on and is judged")
    start_ns = time.monotonic_ns() + int(LEAD_S * 1e9)
    journal.event("schedule", start_ns=start_ns)
    run.enter("warm-up")
    await fleet.start(start_ns)
    await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9 + plan.warm_up_s)
    run.enter("measure")
    faults = FaultInjection(plan, cluster, fleet, protocol=run.protocol, journal=journal, watch=watch)
    async with faults.running(start_ns):
        await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9 + plan.warm_up_s + plan.duration_s)
        run.enter("recover" if plan.faults else "drain")
        if not await fleet.posted(POST_LIMIT_S):
            watch.note(f"not every post was sent and answered {POST_LIMIT_S:g} s after the schedule's end")
        faults.posted.set()
    if plan.faults:
        run.enter("drain")
    complete = await fleet.drain(QUIET_S, DRAIN_LIMIT_S)
    journal.event("drained", complete=complete)
    await fleet.finish()


async def _guarded(work: Awaitable[None], cluster: Cluster, fleet: Fleet, watch: Watch) -> None:
    """Do ``work`` while watching over every process: the first that ends unasked ends the work with its reason."""
    load = asyncio.ensure_future(work)
    watchdog = asyncio.create_task(_watchdog(cluster, fleet, watch))
    try:
        await asyncio.wait({load, watchdog}, return_when=asyncio.FIRST_COMPLETED)
        if watchdog.done():
            # The process that died is the cause; what its death did to the load is only the effect.
            watchdog.result()
        if isinstance(load.exception(), HarnessError):
            # The load met an error first, perhaps because a process has just died: then that is the reason to tell.
            _raise_casualty(cluster, fleet)
        load.result()
        # One that died since the watchdog looked.
        _raise_casualty(cluster, fleet)
    finally:
        for task in (load, watchdog):
            task.cancel()
        await asyncio.gather(load, watchdog, return_exceptions=True)


async def _watchdog(cluster: Cluster, fleet: Fleet, watch: Watch) -> None:
    while True:
        _raise_casualty(cluster, fleet)
        watch.progress(fleet.progress())
        await asyncio.sleep(0.25)


def _raise_casualty(cluster: Cluster, fleet: Fleet) -> None:
    _raise_casualties_of(cluster)
    fleet.check()


def _raise_casualties_of(cluster: Cluster) -> None:
    if casualties := cluster.casualties():
        raise EnvironmentFailure("; ".join(casualties))


async def _collect(run: _Run, cluster: Cluster, *, limit_s: float) -> None:
    """Collect what the cluster knows: traces and the audit, each within ``limit_s``. A part that cannot be had is named
    and left out."""
    run.enter("collect")
    for name, part in (
        ("traces", collect_traces(cluster, run.plan, run.protocol, run.folder)),
        ("audit", audit(cluster, run.plan, run.protocol, run.folder)),
    ):
        try:
            async with asyncio.timeout(limit_s):
                await part
        except (HarnessError, OSError) as error:
            run.watch.note(f"{name} not collected: {_words(error) or type(error).__name__}")
