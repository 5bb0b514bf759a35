"""Recordings with a missing or empty part: judging never raises, never passes, and keeps every FAIL that the rest
proves."""

import dataclasses
from collections.abc import Callable
from pathlib import Path
from unittest import mock

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.checks.run import delivery, delivery_rate, latency, recovery, resource_curves, resources, steps
from harness.model.finding import Bias, Kind, Status, Verdict
from harness.recording import format as layout
from harness.recording.reader import Recording
from tests.harness.recordings import HandMade, finding, measured, red

Spoil = Callable[[Recording], Recording]


def _seen(part: str) -> Spoil:
    def spoil(recording: Recording) -> Recording:
        seen = {
            worker: dataclasses.replace(rows, **{part: getattr(rows, part)[:0]})
            for worker, rows in recording.seen.items()
        }
        return dataclasses.replace(recording, seen=seen)

    return spoil


def _without(part: str, value: object) -> Spoil:
    return lambda recording: dataclasses.replace(recording, **{part: value})


def _emptied(part: str) -> Spoil:
    return lambda recording: dataclasses.replace(
        recording, **{part: {name: rows[:0] for name, rows in getattr(recording, part).items()}}
    )


SPOILED: dict[str, Spoil] = {
    "no posts": _without("posts", np.empty(0, layout.POST)),
    "half of the posts": lambda recording: dataclasses.replace(
        recording, posts=recording.posts[: len(recording.posts) // 2]
    ),
    "no rows of the workers": _without("seen", {}),
    "empty deliveries": _seen("deliveries"),
    "empty frames": _seen("frames"),
    "empty sessions": _seen("sessions"),
    "no heartbeats": _without("heartbeats", {}),
    "empty heartbeats": _emptied("heartbeats"),
    "no accepted": _without("accepted", {}),
    "empty accepted": _emptied("accepted"),
    "no delivered": _without("delivered", {}),
    "no audit": _without("stored", None),
    "empty audit": _without("stored", np.empty(0, layout.STORED)),
    "no events": _without("events", ()),
    "no telemetry": _without("telemetry", ()),
    "no clocks": _without("clocks", None),
}
"""Without any one of these parts a run without faults does not PASS."""


def sound() -> HandMade:
    run = HandMade()
    for _ in range(300):
        run.post(0)
    return run


def judged(run: HandMade, folder: Path, *spoils: Spoil) -> Verdict:
    recording = run.recording(folder)
    heartbeats = {name: rows.copy() for name, rows in recording.heartbeats.items()}
    heartbeats["worker-00"]["count"][-1] = len(run.deliveries)
    recording = dataclasses.replace(recording, heartbeats=heartbeats)
    for spoil in spoils:
        recording = spoil(recording)
    with mock.patch.object(HandMade, "recording", return_value=recording):
        return run.verdict(folder)


def test_a_whole_recording_passes(tmp_path: Path) -> None:
    """Therefore the results of the other tests come from the parts that they remove."""
    verdict = judged(sound(), tmp_path)
    assert verdict.status is Status.PASS
    assert measured(verdict).not_measured == ()


@pytest.mark.parametrize("name", SPOILED)
def test_no_recording_passes_without_one_of_its_parts(tmp_path: Path, name: str) -> None:
    """A missing part is no evidence, and it makes no check red. The exception is an empty audit, which a service that
    stored nothing leaves too."""
    verdict = judged(sound(), tmp_path, SPOILED[name])
    assert verdict.status is not Status.PASS
    assert red(verdict) <= ({"acknowledged-not-stored", "delivered-not-stored"} if name == "empty audit" else set())


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(names=st.sets(st.sampled_from(sorted(SPOILED)), min_size=1))
def test_any_parts_may_be_missing(tmp_path: Path, names: set[str]) -> None:
    """For any subset there is no exception and no PASS. No check fails by itself instead of reporting the missing
    part."""
    verdict = judged(sound(), tmp_path, *(SPOILED[name] for name in sorted(names)))
    assert verdict.status is not Status.PASS
    assert red(verdict) <= {"acknowledged-not-stored", "delivered-not-stored"}
    assert not [found.summary for found in verdict.findings if "check itself failed" in found.summary]


OF_CLIENTS = {"no rows of the workers", "empty deliveries", "empty frames"}
PROVEN: dict[str, tuple[Callable[[HandMade], object], set[str]]] = {
    "phantom": (lambda run: run.deliver(-1, 0, flaw=layout.FOREIGN), OF_CLIENTS),
    "lost": (lambda run: run.deliveries.pop(100), OF_CLIENTS | {"empty sessions", "no events"}),
    "seq-gapless": (lambda run: run.post(1, seq=3), {"no audit", "empty audit"}),
    "commit-order": (
        lambda run: run.post(0, published_ms=1.2, committed_ms=2),
        {"no accepted", "empty accepted", "no posts", "half of the posts"},
    ),
}
"""By check: how a FAIL is planted, and the parts on which it is based."""


@pytest.mark.parametrize("missing", SPOILED)
@pytest.mark.parametrize("check", PROVEN)
def test_what_is_missing_hides_no_failure_that_the_rest_proves(tmp_path: Path, check: str, missing: str) -> None:
    """A FAIL stays if its own parts exist."""
    run = sound()
    plant, rests_on = PROVEN[check]
    plant(run)
    assert check in red(judged(run, tmp_path))
    assert check in red(judged(run, tmp_path, SPOILED[missing])) or missing in rests_on


MEASUREMENTS = {
    "delivery": (delivery, "measure", "delivery"),
    "rates": (delivery_rate, "rates", None),
    "steps": (steps, "measure", "steps"),
    "lost_at": (steps, "lost_at", None),
    "recovery": (recovery, "measure", "recovery"),
    "completion": (latency, "completion", None),
    "servers": (resources, "servers", None),
    "machine": (resources, "machine", None),
    "resource curves": (resource_curves, "series", None),
}


@pytest.mark.parametrize("name", MEASUREMENTS)
def test_a_measurement_that_crashes_hides_no_other(tmp_path: Path, name: str) -> None:
    """The measurement is reported by name with the reason. A FAIL stays, and the verdict is no PASS."""
    module, function, field = MEASUREMENTS[name]
    run = sound()
    with mock.patch.object(module, function, side_effect=IndexError("planted")):
        verdict = run.verdict(tmp_path)
        run.deliveries.pop(100)
        failed = run.verdict(tmp_path)
    assert "IndexError: planted" in {missing.reason for missing in measured(verdict).not_measured}
    assert name in {missing.name for missing in measured(verdict).not_measured}
    if field:
        assert getattr(measured(verdict), field) is None
    assert verdict.status is Status.UNKNOWN or name == "resource curves"
    assert "lost" in red(failed)
    assert finding(verdict, "lost").status is Status.PASS


def test_rows_of_one_worker_that_cannot_be_read_hide_no_other_worker(tmp_path: Path) -> None:
    """A frame names a message that the plan does not have. The worker of this frame is left out by name, and a loss at
    the other worker is still found."""
    run = HandMade(clients=8, audience=8, changes={"workers": 2})
    for _ in range(300):
        run.post(0)
    lost = run.deliveries.index(next(row for row in run.deliveries if row[0] == 0 and row[1] == 100))
    del run.deliveries[lost]

    def split(recording: Recording, *, broken: bool) -> Recording:
        seen = recording.seen[0]
        halves = {}
        for worker, mine in ((0, (0, 1, 4, 5)), (1, (2, 3, 6, 7))):
            frames = seen.frames.copy()
            if broken and worker == 1:
                frames["message"][5] = 10**6
            halves[worker] = dataclasses.replace(
                seen,
                deliveries=seen.deliveries[np.isin(seen.deliveries["client"], mine)],
                frames=frames,
                sessions=seen.sessions[np.isin(seen.sessions["client"], mine)],
            )
        heartbeats = {**recording.heartbeats, "worker-01": recording.heartbeats["worker-00"]}
        return dataclasses.replace(recording, seen=halves, heartbeats=heartbeats)

    for broken in (False, True):
        spoiled = split(run.recording(tmp_path), broken=broken)
        with mock.patch.object(HandMade, "recording", return_value=spoiled):
            verdict = run.verdict(tmp_path)
        assert red(verdict) == {"lost"}
        assert finding(verdict, "lost").measured == 1
        names = {missing.name for missing in measured(verdict).not_measured}
        assert names == ({"deliveries of worker-01"} if broken else set())


def test_safety_without_evidence_is_never_a_pass(tmp_path: Path) -> None:
    """In an empty run every safety check is UNKNOWN, and every validity check that needs data has an optimistic
    bias."""
    verdict = judged(sound(), tmp_path, *SPOILED.values())
    assert {found.status for found in verdict.findings if found.kind is Kind.SAFETY} == {Status.UNKNOWN}
    doubtful = [found for found in verdict.findings if found.kind is Kind.VALIDITY and found.status is not Status.PASS]
    assert {found.bias for found in doubtful} == {Bias.OPTIMISTIC}
