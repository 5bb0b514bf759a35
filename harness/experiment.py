"""The story of one run: plan, up, connect, warm up, measure, drain, collect, seal, judge, render. Tears down whatever
happens; whatever was recorded before something went wrong is kept and judged."""

import asyncio
import contextlib
import signal
import time
import traceback
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from harness.environments import open_environment
from harness.exit_codes import ExitCode, of_status
from harness.load.fault_injection import Timeline
from harness.load.fleet import Fleet
from harness.model.cluster import Cluster, Topology
from harness.model.errors import EnvironmentFailure, HarnessError, WorkerLost
from harness.model.finding import Verdict
from harness.model.plan import Plan
from harness.model.watch import Watch
from harness.observation import statement_log as postgres_log
from harness.observation.audit import audit
from harness.observation.clocks import find_clocks
from harness.observation.limits import raise_descriptor_limit
from harness.observation.machine import describe_machine
from harness.observation.telemetry import Telemetry
from harness.observation.trace_collector import collect_traces
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
    plan: Plan, *, out: Path, server_urls: tuple[str, ...], watch: Watch, folder: Path | None = None
) -> Outcome:
    """Run ``plan``, leave its recording in ``folder``, or else in a new one below ``out``, judge and render it.

    Raises EnvironmentFailure where not even the folder can be made.
    """
    raise_descriptor_limit()
    folder = folder or create_folder(out, plan)
    with Journal(folder) as journal:
        ending = asyncio.run(_record(plan, folder=folder, journal=journal, server_urls=server_urls, watch=watch))
        # On a full disk even this may not fit; a recording without an end is judged as one that ended early.
        with contextlib.suppress(OSError):
            journal.event("ended", how=ending.how, why=ending.why)
    verdict: Verdict | None = None
    try:
        watch.phase("judge")
        verdict = judge_recording(folder)
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
    from harness.recording.reader import read_events, read_machine, read_verdict
    from harness.report import write_index, write_report

    verdict = read_verdict(folder)
    page = write_report(folder, verdict, read_machine(folder), read_events(folder))
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


async def _record(plan: Plan, *, folder: Path, journal: Journal, server_urls: tuple[str, ...], watch: Watch) -> _Ending:
    """Everything up to the sealed recording. Errors become the ending; nothing is left running."""
    body = asyncio.current_task()
    assert body is not None
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        loop.add_signal_handler(number, _interrupt, body, watch)
    try:
        await _conduct(plan, folder=folder, journal=journal, server_urls=server_urls, watch=watch)
    except asyncio.CancelledError:
        return _Ending(how="interrupted", why="interrupted; everything is torn down", exit_code=ExitCode.INTERRUPTED)
    except WorkerLost as error:
        return _Ending(how="casualty", why=str(error), exit_code=ExitCode.UNKNOWN)
    except (HarnessError, OSError) as error:
        return _Ending(how="failed", why=_told(error), exit_code=ExitCode.ENVIRONMENT)
    except Exception as error:
        watch.note(traceback.format_exc())
        why = f"a defect of the harness itself: {_told(error)}"
        return _Ending(how="failed", why=why, exit_code=ExitCode.ENVIRONMENT)
    return _Ending(how="complete")


def _interrupt(body: "asyncio.Task[object]", watch: Watch) -> None:
    # Later signals cancel again: that cuts a slow teardown short, and what it then leaves, the guard ends.
    watch.note("stopping: tearing everything down")
    body.cancel()


def _told(error: Exception) -> str:
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


async def _conduct(plan: Plan, *, folder: Path, journal: Journal, server_urls: tuple[str, ...], watch: Watch) -> None:
    def enter(phase: str) -> None:
        journal.event("phase", name=phase)
        watch.phase(phase)

    topology = Topology(
        servers=plan.servers,
        backplane=plan.backplane,
        write_path=plan.write_path,
        run_id=plan.run_id,
        recovery=plan.recovery,
        server_module=plan.server_module,
    )
    enter("start")
    async with AsyncExitStack() as up:
        cluster = await up.enter_async_context(
            open_environment(
                plan.environment, topology=topology, folder=folder, server_urls=server_urls, say=watch.note
            )
        )
        journal.machine(await describe_machine(cluster, folder))
        write_clocks(folder, find_clocks(cluster, workers=plan.workers))
        if plan.query_log and cluster.database is not None:
            await postgres_log.switch_on(cluster.database, say=watch.note)
        fleet = Fleet(plan=plan, servers=cluster.servers, token=cluster.token, folder=folder)
        try:
            async with fleet, Telemetry(cluster, processes=fleet.processes, path=folder / "telemetry.jsonl"):
                await _guarded(_load(plan, cluster, fleet, journal, enter, watch), cluster, fleet, watch)
        except BaseException:
            # Cut short: perhaps while something was broken on purpose, so whoever does not answer soon will not answer.
            await _collect(plan, cluster, folder, enter, watch, limit_s=HURRIED_COLLECT_LIMIT_S)
            raise
        await _collect(plan, cluster, folder, enter, watch, limit_s=COLLECT_LIMIT_S)
    if plan.query_log:
        postgres_log.collect(folder)
    enter("sealed")


async def _load(
    plan: Plan, cluster: Cluster, fleet: Fleet, journal: Journal, enter: Callable[[str], None], watch: Watch
) -> None:
    """The load's own story: connect, probe, warm up, measure (with faults), drain."""
    enter("connect")
    await fleet.connect(max(CONNECT_LIMIT_S, plan.clients / CONNECTED_HZ_AT_LEAST))
    enter("probe")
    expected, seen = await fleet.probe(max(PROBE_LIMIT_S, plan.channels / PROBED_HZ_AT_LEAST))
    journal.event("probe", expected=expected, seen=seen)
    if seen < expected:
        watch.note(f"only {seen:,} of {expected:,} clients saw their channel's probe; going on, the verdict will tell")
    start_ns = time.monotonic_ns() + int(LEAD_S * 1e9)
    journal.event("schedule", start_ns=start_ns)
    enter("warm-up")
    await fleet.start(start_ns)
    await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9 + plan.warm_up_s)
    enter("measure")
    timeline = Timeline(plan, cluster, fleet, journal=journal, watch=watch)
    async with timeline.running(start_ns):
        await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9 + plan.warm_up_s + plan.duration_s)
        enter("recover" if plan.faults else "drain")
        if not await fleet.posted(POST_LIMIT_S):
            watch.note(f"not every post was sent and answered {POST_LIMIT_S:g} s after the schedule's end")
        timeline.posted.set()
    if plan.faults:
        enter("drain")
    complete = await fleet.drain(QUIET_S, DRAIN_LIMIT_S)
    journal.event("drained", complete=complete)
    await fleet.finish()


async def _guarded(work: Awaitable[None], cluster: Cluster, fleet: Fleet, watch: Watch) -> None:
    """Do ``work`` while watching over every process: the first that ends unasked ends the work with its reason."""
    load = asyncio.ensure_future(work)
    vigil = asyncio.create_task(_vigil(cluster, fleet, watch))
    try:
        await asyncio.wait({load, vigil}, return_when=asyncio.FIRST_COMPLETED)
        if vigil.done():
            # The process that died is the cause; what its death did to the load is only the effect.
            vigil.result()
        if isinstance(load.exception(), HarnessError):
            # The load met an error first, perhaps because a process has just died: then that is the reason to tell.
            _raise_casualty(cluster, fleet)
        load.result()
    finally:
        for task in (load, vigil):
            task.cancel()
        await asyncio.gather(load, vigil, return_exceptions=True)


async def _vigil(cluster: Cluster, fleet: Fleet, watch: Watch) -> None:
    while True:
        _raise_casualty(cluster, fleet)
        watch.progress(fleet.progress())
        await asyncio.sleep(0.25)


def _raise_casualty(cluster: Cluster, fleet: Fleet) -> None:
    if casualties := cluster.casualties():
        raise EnvironmentFailure("; ".join(casualties))
    fleet.check()


async def _collect(
    plan: Plan, cluster: Cluster, folder: Path, enter: Callable[[str], None], watch: Watch, *, limit_s: float
) -> None:
    """Take what the cluster knows: traces and the audit, each within ``limit_s``; a part that cannot be had is said and
    left out."""
    enter("collect")
    for name, part in (
        ("traces", collect_traces(cluster, plan, folder)),
        ("audit", audit(cluster, plan, folder)),
    ):
        try:
            async with asyncio.timeout(limit_s):
                await part
        except (HarnessError, OSError) as error:
            watch.note(f"{name} not collected: {_told(error) or type(error).__name__}")
