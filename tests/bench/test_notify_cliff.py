"""The figures of one step from hand-made posts, the plot, and a short measurement of a real cluster."""

import asyncio

import asyncpg
import pytest

from bench.notify_cliff import AFTERWARDS_S, LOCK_WAITERS, SIDES, Posts, Step, measure, plotted, row, step_of
from tests.reference_server.stack import Postgres, running_postgres

NEVER = float("inf")


def stepped(*posts: tuple[float, float, bool]) -> Step:
    """A step of one second with these posts. Each post is (due, answered, acknowledged)."""
    due_s, answered_s, acknowledged = (list(values) for values in zip(*posts, strict=True))
    return step_of(len(posts), 1.0, Posts(due_s, answered_s, acknowledged), {"Lock object": 2.0}, 2.0, 1.5)


def test_only_what_is_acknowledged_within_the_window_was_reached() -> None:
    """A late answer, a refused post and an unanswered post do not count for the reached rate."""
    step = stepped((10.0, 10.1, True), (10.2, 11.5, True), (10.4, 10.5, False), (10.6, NEVER, False))
    assert (step.reached_hz, step.rejected, step.unanswered) == (1.0, 1, 1)


def test_latency_counts_from_the_intended_time_and_for_every_post() -> None:
    """A post without an answer counts with the whole time that the measurement waited for it. So it cannot make the P99
    better."""
    step = stepped((10.0, 10.1, True), (10.2, 10.3, True), (10.5, NEVER, False))
    assert step.p50_ms == pytest.approx(100)
    assert step.p99_ms == pytest.approx((0.5 + AFTERWARDS_S) * 1e3)


def test_a_step_is_told_with_its_cause_and_drawn() -> None:
    step = stepped((10.0, 10.1, True))
    assert "Lock object 2.0" in row("inside the transaction", step)
    drawing = plotted({name: [step] for name in SIDES}, "title")
    assert "lock on database 0" in drawing.svg
    assert drawing.png.startswith(b"\x89PNG")


@pytest.mark.integration
def test_both_sides_are_measured_in_one_run() -> None:
    """Every post is acknowledged at a low rate. The settings of PostgreSQL are returned too."""
    found, settings = asyncio.run(measure((50,), 1.0))
    assert set(found) == set(SIDES)
    for (step,) in found.values():
        assert (step.rejected, step.unanswered) == (0, 0)
        assert 40 <= step.reached_hz <= 50
        assert step.cores > 0
    assert settings["fsync"] == "on"


@pytest.mark.integration
def test_transactions_that_wait_for_one_that_notified_are_counted() -> None:
    """Eight sessions notify and commit at once. Some of them wait for the lock that the query counts."""

    async def main(postgres: Postgres) -> None:
        sessions = [await asyncpg.connect(**postgres.settings) for _ in range(8)]
        looker = await asyncpg.connect(**postgres.settings)
        for session in sessions:
            await session.execute("CREATE TABLE IF NOT EXISTS filled (text text)")

        async def commit(session: asyncpg.Connection) -> None:
            while True:
                await session.execute("BEGIN; INSERT INTO filled VALUES ('x'); NOTIFY chat; COMMIT")

        tasks = [asyncio.create_task(commit(session)) for session in sessions]
        async with asyncio.timeout(20):
            while not await looker.fetchval(LOCK_WAITERS):
                pass
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
        for each in (*sessions, looker):
            each.terminate()

    with running_postgres() as postgres:
        asyncio.run(main(postgres))
