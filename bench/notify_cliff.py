"""The cliff of NOTIFY inside the committing transaction, beside publishing after the commit.

Two clusters of the same kind: one commit for each post, up to eight at once per server, `--backplane postgres-notify`. In
one of them the transaction that commits a message notifies too. At each rate of a rising series both are measured, one
after the other, by posts at evenly spaced intended times. Meanwhile PostgreSQL is asked every 50 ms what its sessions wait
for. A transaction that notified takes an AccessExclusiveLock on the object `database 0` before its COMMIT, and holds it
until its log is flushed (PreCommit_Notify in PostgreSQL's async.c): those that wait for it are counted by themselves.
"""

import asyncio
import contextlib
import tempfile
import time
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import asyncpg
import numpy as np
import psutil

from bench.table import machine
from harness.components import adapter_of
from harness.environments.embedded.embedded_cluster import EmbeddedCluster, embedded
from harness.model.cluster import Topology
from harness.report.plots import palette
from harness.report.plots.drawing import Drawing, draw, own_settings

RATES_HZ = (100, 200, 400, 600, 800, 1_000, 1_200, 1_500)
SECONDS = 5.0
WARM_UP_HZ, WARM_UP_S = 100, 2.0
AFTERWARDS_S = 2.0
"""How long answers are waited for after a step. A post without one counts with the time that it waited."""
SETTLE_LIMIT_S = 3.0
SERVERS = 2
CHANNELS = 128
"""Many: two posts to one channel wait for each other's commit on either side, because of the channel's seq."""
TEXT = "x" * 100
SAMPLE_S = 0.05
FOLDER = Path("results/notify-cliff")
SIDES = {"inside the transaction": True, "after the commit": False}

_SESSIONS = """
SELECT coalesce(wait_event_type || ' ' || wait_event, 'running'), count(*) FROM pg_stat_activity
WHERE state = 'active' AND application_name LIKE 'server-%' GROUP BY 1
"""
LOCK_WAITERS = """
SELECT count(*) FROM pg_locks
WHERE locktype = 'object' AND classid = 'pg_database'::regclass AND objid = 0
    AND mode = 'AccessExclusiveLock' AND NOT granted
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One side at one rate. ``reached_hz``: acknowledged within the window. Percentiles are in ms from the intended time,
    of all posts that were due. ``waits``: sessions on the average, by what they waited for; ``lock_waiters``: those that
    waited for the lock on ``database 0``. ``cores``: CPU of the whole machine."""

    rate_hz: float
    reached_hz: float
    rejected: int
    unanswered: int
    p50_ms: float
    p99_ms: float
    waits: dict[str, float]
    lock_waiters: float
    cores: float


@dataclass(slots=True)
class Posts:
    """What became of the posts of one step, in seconds of the loop's clock."""

    due_s: list[float] = field(default_factory=list)
    answered_s: list[float] = field(default_factory=list)
    """infinite without an answer"""
    acknowledged: list[bool] = field(default_factory=list)


async def load(cluster: EmbeddedCluster, session: aiohttp.ClientSession, rate_hz: float, seconds: float) -> Posts:
    """Post at evenly spaced times, however late the answers are, and wait a bounded time for the last of them."""
    posts, tasks = Posts(), []
    loop = asyncio.get_running_loop()
    began_s = loop.time() + 0.05

    async def post(number: int) -> None:
        server = cluster.servers[number % SERVERS]
        body = {"channel": f"bench-{number % CHANNELS}", "text": TEXT}
        async with session.post(f"{server.url}/v1/chat.postMessage", json=body) as response:
            await response.read()
            posts.acknowledged[number] = response.status == 200
            posts.answered_s[number] = loop.time()

    for number in range(round(rate_hz * seconds)):
        due_s = began_s + number / rate_hz
        if (early_s := due_s - loop.time()) > 0:
            await asyncio.sleep(early_s)
        posts.due_s.append(due_s)
        posts.answered_s.append(float("inf"))
        posts.acknowledged.append(False)
        tasks.append(asyncio.create_task(post(number)))
    _, late = await asyncio.wait(tasks, timeout=max(0.0, began_s + seconds + AFTERWARDS_S - loop.time()))
    for task in late:
        task.cancel()
    for ended in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(ended, Exception) and not isinstance(ended, aiohttp.ClientError):
            raise ended
    return posts


class Watch:
    """Asks PostgreSQL what its sessions wait for, until it is closed."""

    def __init__(self, connection: asyncpg.Connection) -> None:
        self._connection = connection
        self._waits: Counter[str] = Counter()
        self._lock_waiters = self._samples = 0

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self._run())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.wait((task,))

    async def _run(self) -> None:
        while True:
            self._waits.update({str(event): int(count) for event, count in await self._connection.fetch(_SESSIONS)})
            self._lock_waiters += int(await self._connection.fetchval(LOCK_WAITERS))
            self._samples += 1
            await asyncio.sleep(SAMPLE_S)

    @property
    def waits(self) -> dict[str, float]:
        return {event: count / max(1, self._samples) for event, count in self._waits.most_common()}

    @property
    def lock_waiters(self) -> float:
        return self._lock_waiters / max(1, self._samples)


@dataclass(frozen=True, slots=True, kw_only=True)
class Side:
    """One cluster with what posts to it and what looks into its PostgreSQL."""

    cluster: EmbeddedCluster
    session: aiohttp.ClientSession
    connection: asyncpg.Connection

    async def step(self, rate_hz: float, seconds: float) -> Step:
        watch, before, began_s = Watch(self.connection), busy_s(), time.monotonic()
        async with watch.watching():
            posts = await load(self.cluster, self.session, rate_hz, seconds)
        cores = (busy_s() - before) / (time.monotonic() - began_s)
        await self._settle()
        return step_of(rate_hz, seconds, posts, watch.waits, watch.lock_waiters, cores)

    async def _settle(self) -> None:
        """What posts without an answer left behind must not slow the other side's step."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(SETTLE_LIMIT_S):
                while await self.connection.fetch(_SESSIONS):
                    await asyncio.sleep(SAMPLE_S)


def step_of(
    rate_hz: float, seconds: float, posts: Posts, waits: dict[str, float], lock_waiters: float, cores: float
) -> Step:
    due_s, answered_s = np.array(posts.due_s), np.array(posts.answered_s)
    acknowledged, window_end_s = np.array(posts.acknowledged), posts.due_s[0] + seconds
    answered = np.isfinite(answered_s)
    waited_s = np.where(answered, answered_s, window_end_s + AFTERWARDS_S) - due_s
    p50_ms, p99_ms = np.quantile(waited_s, (0.5, 0.99), method="higher") * 1e3
    return Step(
        rate_hz=rate_hz,
        reached_hz=float((acknowledged & (answered_s <= window_end_s)).sum()) / seconds,
        rejected=int((answered & ~acknowledged).sum()),
        unanswered=int((~answered).sum()),
        p50_ms=float(p50_ms),
        p99_ms=float(p99_ms),
        waits=waits,
        lock_waiters=lock_waiters,
        cores=cores,
    )


def busy_s() -> float:
    """CPU seconds of the whole machine since its start."""
    idle = ("idle", "iowait", "guest", "guest_nice")
    return float(sum(value for name, value in psutil.cpu_times()._asdict().items() if name not in idle))


@asynccontextmanager
async def side(inside: bool, logs: Path) -> AsyncIterator[Side]:
    topology = Topology(
        servers=SERVERS,
        backplane="postgres-notify",
        backplane_settings=(("inside_transaction", inside), ("group_commit", False)),
        write_path="db-first",
        run_id="bench",
    )
    async with AsyncExitStack() as down:
        cluster = await down.enter_async_context(embedded(topology, logs=logs))
        session = await down.enter_async_context(
            aiohttp.ClientSession(
                headers={"Authorization": f"Bearer {cluster.token}"},
                connector=aiohttp.TCPConnector(limit=400),
                timeout=aiohttp.ClientTimeout(total=None),
            )
        )
        connection = await asyncpg.connect(**cluster.database.arguments)
        down.push_async_callback(connection.close)
        yield Side(cluster=cluster, session=session, connection=connection)


async def measure(rates_hz: Sequence[float], seconds: float) -> tuple[dict[str, list[Step]], dict[str, str]]:
    """The steps of each side, and the settings of PostgreSQL."""
    found: dict[str, list[Step]] = {name: [] for name in SIDES}
    with tempfile.TemporaryDirectory() as folder:
        async with AsyncExitStack() as down:
            sides = {
                name: await down.enter_async_context(side(inside, Path(folder) / str(inside)))
                for name, inside in SIDES.items()
            }
            database = next(iter(sides.values())).cluster.database
            settings = await adapter_of(database.kind).settings(database)
            for each in sides.values():
                await each.step(WARM_UP_HZ, WARM_UP_S)
            for number, rate_hz in enumerate(rates_hz):
                # In turn, so that neither side is always the one that comes after the other.
                for name in list(sides)[:: 1 if number % 2 else -1]:
                    step = await sides[name].step(rate_hz, seconds)
                    found[name].append(step)
                    print(row(name, step), flush=True)
    return found, settings


HEAD = (
    f"{'':24}{'asked/s':>8}{'reached/s':>10}{'P50 ms':>9}{'P99 ms':>9}{'no answer':>10}{'rejected':>9}{'cores':>7}"
    f"{'at the lock':>12}   sessions waiting, on the average"
)


def row(name: str, step: Step) -> str:
    waits = ", ".join(f"{event} {count:.1f}" for event, count in list(step.waits.items())[:4] if count >= 0.05)
    return (
        f"{name:24}{step.rate_hz:8,.0f}{step.reached_hz:10,.0f}{step.p50_ms:9,.1f}{step.p99_ms:9,.1f}{step.unanswered:10,}"
        f"{step.rejected:9,}{step.cores:7.2f}{step.lock_waiters:12.1f}   {waits}"
    )


def plotted(found: dict[str, list[Step]], title: str) -> Drawing:
    """Three plots over the rate that was asked for: the rate reached, P99, sessions that wait for the lock."""
    with own_settings():
        from matplotlib.figure import Figure
        from matplotlib.ticker import LogLocator, NullFormatter

        figure = Figure(figsize=(7.5, 8.5), layout="constrained")
        rate, latency, lock = figure.subplots(3, 1, sharex=True)
        colours = dict(zip(found, (palette.LIMIT, palette.DATABASE), strict=True))
        for name, steps in found.items():
            asked = [step.rate_hz for step in steps]
            style = {"color": colours[name].light, "marker": "o", "label": f"NOTIFY {name}"}
            rate.plot(asked, [step.reached_hz for step in steps], **style)
            latency.plot(asked, [step.p99_ms for step in steps], **style)
            latency.plot(asked, [step.p50_ms for step in steps], **(style | {"linestyle": ":", "label": None}))
            lock.plot(asked, [step.lock_waiters for step in steps], **style)
        rate.plot(RATES_HZ, RATES_HZ, color=palette.MUTED.light, linewidth=0.8, label="as asked")
        rate.set_ylabel("acknowledged posts/s")
        latency.set_ylabel("acknowledgement, ms\nP99, dotted: P50")
        latency.set_yscale("log")
        latency.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        latency.yaxis.set_major_formatter(lambda value, _: f"{value:g}")
        latency.yaxis.set_minor_formatter(NullFormatter())
        lock.set_ylabel("sessions waiting for the\nlock on database 0")
        lock.set_xlabel("posts/s asked for, one commit each")
        for axes in (rate, latency, lock):
            axes.grid(alpha=0.3)
        rate.set_title(title, loc="left", fontsize=10)
        rate.legend(frameon=False)
        return draw(figure, name="notify-cliff", title=title, group="experiments", summary=title)


def main() -> bool:
    began_s = time.monotonic()
    print(machine())
    print(f"\nnotify_cliff: {SERVERS} servers, one commit for each post, {SECONDS:g} s for each rate and side\n{HEAD}")
    found, settings = asyncio.run(measure(RATES_HZ, SECONDS))
    names = ("server_version", "fsync", "synchronous_commit", "wal_sync_method")
    print("\nPostgreSQL: " + ", ".join(f"{name}={settings[name]}" for name in names if name in settings))
    for name, steps in found.items():
        print(f"{name}: at most {max(step.reached_hz for step in steps):,.0f} acknowledged posts/s")
    drawing = plotted(found, "NOTIFY inside the committing transaction, and after the commit")
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER / "notify-cliff.svg").write_text(drawing.svg)
    (FOLDER / "notify-cliff.png").write_bytes(drawing.png)
    print(f"plot: {FOLDER / 'notify-cliff.svg'}, .png; {time.monotonic() - began_s:.0f} s")
    return True
