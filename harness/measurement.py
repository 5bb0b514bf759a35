"""One measurement on a cluster that is up: connect, probe, warm up, measure, drain, collect."""

import asyncio
import time
from collections.abc import Awaitable
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.ending import words_of
from harness.live.rows import LiveRows
from harness.load.engine.engine import Engine
from harness.load.fault_injection import FaultInjection
from harness.load.fleet import Fleet
from harness.model.cluster import Cluster, Topology
from harness.model.drain import QUIET_S, DrainEnd, drain_limit_s
from harness.model.errors import EnvironmentFailure, HarnessError, SafetyFailure
from harness.model.plan import Plan
from harness.model.watch import Progress, Watch
from harness.observation.audit import audit
from harness.observation.clocks import find_clocks
from harness.observation.machine import describe_machine
from harness.observation.still_answering import ask_servers
from harness.observation.telemetry import Telemetry
from harness.observation.trace_collector import collect_traces
from harness.planning.fault_schedule import relayed_links
from harness.protocol import open_protocol
from harness.protocol.contract import ClientProtocol
from harness.recording.writer import Journal, write_clocks

CONNECT_LIMIT_S = 300.0
CONNECTED_HZ_AT_LEAST = 250.0
PROBE_LIMIT_S = 30.0
PROBED_HZ_AT_LEAST = 200.0
"""Many clients take longer to connect, many channels longer to probe: at least so many each second."""
POST_LIMIT_S = 30.0
"""How long after the schedule's end the harness waits for the last answers to posts."""
COLLECT_LIMIT_S = 120.0
HURRIED_COLLECT_LIMIT_S = 10.0
LEAD_S = 0.5
"""From the sender's start command to the first intended time, so that the first post is not late."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run from its start to its sealed recording, with the state that every phase needs."""

    plan: Plan
    folder: Path
    journal: Journal
    watch: Watch
    engine: Engine

    @property
    def protocol(self) -> ClientProtocol:
        return open_protocol(self.plan.protocol)

    def enter(self, phase: str) -> None:
        self.journal.event("phase", name=phase)
        self.watch.phase(phase)


def topology_of(plan: Plan) -> Topology:
    """The cluster that ``plan`` needs."""
    return Topology(
        servers=plan.servers,
        backplane=plan.backplane,
        backplane_settings=plan.backplane_settings,
        write_path=plan.write_path,
        run_id=plan.run_id,
        protocol=plan.protocol,
        recovery=plan.recovery,
        synchronous_commit=plan.synchronous_commit,
        server_module=plan.server_module,
        server_urls=plan.server_urls,
        ca_file=plan.ca_file,
        insecure=plan.insecure,
        messages_table=plan.messages_table,
        statement_log=plan.query_log,
        relayed=relayed_links(plan.faults, plan.backplane),
    )


async def measure(run: Run, cluster: Cluster) -> None:
    """Record everything about the load of ``run``. Also after an early end, the traces and the audit are collected."""
    plan, folder = run.plan, run.folder
    run.watch.recording(folder)
    run.journal.machine(await describe_machine(cluster, folder))
    write_clocks(folder, find_clocks(cluster, workers=plan.workers))
    fleet = Fleet(plan=plan, servers=cluster.servers, token=cluster.token, engine=run.engine)
    try:
        telemetry = Telemetry(cluster, generator=fleet.components, path=folder / "telemetry.jsonl")
        with LiveRows(plan, folder, telemetry.newest) as live:
            async with fleet, telemetry:
                work = _load(run, cluster, fleet, live)
                await _guarded(work, cluster, fleet, Lookout(plan=plan, live=live, watch=run.watch))
    except BaseException:
        # The run ended early, perhaps during a fault: a part that does not answer soon will not answer.
        await _collect(run, cluster, limit_s=HURRIED_COLLECT_LIMIT_S)
        raise
    run.journal.event("answering", servers=dict(await ask_servers(cluster, run.protocol)))
    await _collect(run, cluster, limit_s=COLLECT_LIMIT_S)
    # A part that died after the last delivery has no trace, and its death must be reported.
    _raise_casualties_of(cluster)


async def _load(run: Run, cluster: Cluster, fleet: Fleet, live: LiveRows) -> None:
    """The load: connect, probe, warm up, measure (with faults), drain."""
    plan, journal, watch = run.plan, run.journal, run.watch

    def enter(phase: str) -> None:
        run.enter(phase)
        live.enter(phase)

    enter("connect")
    await fleet.connect(max(CONNECT_LIMIT_S, plan.clients / CONNECTED_HZ_AT_LEAST))
    enter("probe")
    expected, seen = await fleet.probe(max(PROBE_LIMIT_S, plan.channels / PROBED_HZ_AT_LEAST))
    journal.event("probe", expected=expected, seen=seen)
    if seen < expected:
        watch.note(f"only {seen:,} of {expected:,} clients saw their channel's probe; the run continues and is judged")
    start_ns = time.monotonic_ns() + int(LEAD_S * 1e9)
    journal.event("schedule", start_ns=start_ns)
    live.begin_schedule(start_ns)
    enter("warm-up")
    await fleet.start(start_ns)
    await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9 + plan.warm_up_s)
    enter("measure")
    faults = FaultInjection(plan, cluster, fleet, protocol=run.protocol, journal=journal, watch=watch)
    async with faults.running(start_ns):
        await asyncio.sleep((start_ns - time.monotonic_ns()) / 1e9 + plan.warm_up_s + plan.duration_s)
        enter("recover" if plan.faults else "drain")
        if not await fleet.posted(POST_LIMIT_S):
            watch.note(f"not every post was sent and answered {POST_LIMIT_S:g} s after the schedule's end")
        faults.posted.set()
    if plan.faults:
        enter("drain")
    drained = await fleet.drain(QUIET_S, drain_limit_s(plan.warm_up_s + plan.duration_s))
    journal.event("drained", **asdict(drained))
    if drained.how is DrainEnd.CUT_OFF:
        watch.note(
            f"the wait for deliveries was cut off while {drained.deliveries_hz:,.0f} of them arrived per second and "
            f"{drained.unsubscribed:,} clients had no subscription"
        )
    await fleet.finish()


class Lookout:
    """Looks at the progress of the load: shows it, writes it, and reports a final safety failure at once."""

    def __init__(self, *, plan: Plan, live: LiveRows, watch: Watch) -> None:
        self._plan = plan
        self._live = live
        self._watch = watch
        self._told = False

    def look(self, progress: Progress) -> None:
        """Raises SafetyFailure if the plan has --fail-fast, OSError if the disk does not take a row."""
        progress = self._live.complete(progress)
        self._watch.progress(progress)
        self._live.write(progress)
        if progress.broken and not self._told:
            self._told = True
            what = f"{progress.broken:,} deliveries are wrong: a changed text, or a message of another channel"
            if self._plan.fail_fast:
                raise SafetyFailure(f"the run was ended by --fail-fast after {what}")
            self._watch.note(f"this run will FAIL: {what}")


async def _guarded(work: Awaitable[None], cluster: Cluster, fleet: Fleet, lookout: Lookout) -> None:
    """Do ``work`` and watch every process: the first one that ends unexpectedly ends the work with its reason."""
    load = asyncio.ensure_future(work)
    watchdog = asyncio.create_task(_watchdog(cluster, fleet, lookout))
    try:
        await asyncio.wait({load, watchdog}, return_when=asyncio.FIRST_COMPLETED)
        if watchdog.done():
            # The process that died is the cause; errors of the load are only its effect.
            watchdog.result()
        if isinstance(load.exception(), HarnessError):
            # The load had an error first, perhaps because a process has just died: then the death is the reason to
            # report.
            _raise_casualty(cluster, fleet)
        load.result()
        # One that died since the watchdog looked.
        _raise_casualty(cluster, fleet)
    finally:
        for task in (load, watchdog):
            task.cancel()
        await asyncio.gather(load, watchdog, return_exceptions=True)


async def _watchdog(cluster: Cluster, fleet: Fleet, lookout: Lookout) -> None:
    while True:
        _raise_casualty(cluster, fleet)
        lookout.look(fleet.progress())
        await asyncio.sleep(0.25)


def _raise_casualty(cluster: Cluster, fleet: Fleet) -> None:
    _raise_casualties_of(cluster)
    fleet.check()


def _raise_casualties_of(cluster: Cluster) -> None:
    if casualties := cluster.casualties():
        raise EnvironmentFailure("; ".join(casualties))


async def _traces(run: Run, cluster: Cluster) -> None:
    received = await collect_traces(cluster, run.plan, run.protocol, run.folder)
    run.journal.event("received", servers=received)


async def _collect(run: Run, cluster: Cluster, *, limit_s: float) -> None:
    """Collect traces and the audit, each within ``limit_s``. A part that cannot be collected is named and left out."""
    run.enter("collect")
    for name, part in (
        ("traces", _traces(run, cluster)),
        ("audit", audit(cluster, run.plan, run.protocol, run.folder)),
    ):
        try:
            async with asyncio.timeout(limit_s):
                await part
        except (HarnessError, OSError) as error:
            run.watch.note(f"{name} not collected: {words_of(error) or type(error).__name__}")
