"""How long each step took, and at which hop a delivery was lost, from traces of a few rows."""

from pathlib import Path

import pytest

from harness.model.measurements.delivery import LostAt
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.steps import StepLatencies
from tests.harness.recordings import HandMade, measured

STEPS = ("ingest", "commit", "publish", "fan_out", "push", "persist", "total")


def steps_of(run: HandMade, folder: Path) -> StepLatencies:
    found = measured(run.verdict(folder)).steps
    assert found is not None
    return found


def told(steps: StepLatencies) -> dict[str, tuple[int, float | None]]:
    """(samples, median in ms) of each step that was measured."""
    found: dict[str, Percentiles | None] = {name: getattr(steps, name) for name in STEPS}
    return {name: (one.count, one.p50_ms) for name, one in found.items() if one is not None}


def test_each_step_is_counted_from_the_end_of_the_one_before(run: HandMade, tmp_path: Path) -> None:
    """Due at 0, accepted at 1, committed at 2, published at 2.5, received by both servers at 3, by both clients at 5 ms."""
    assert told(steps_of(run, tmp_path)) == {
        "ingest": (3, 1.0),
        "commit": (3, 1.0),
        "publish": (3, 0.5),
        "fan_out": (6, 0.5),
        "push": (6, 2.0),
        "total": (6, 5.0),
    }


def test_a_run_without_traces_has_no_steps(tmp_path: Path) -> None:
    run = HandMade(traced=False)
    run.post(0)
    assert measured(run.verdict(tmp_path)).steps is None


def test_a_message_that_was_never_published_has_the_steps_before(run: HandMade, tmp_path: Path) -> None:
    """Its commit is known; no server received it, and its clients' deliveries are pushed by no server."""
    run.unpublished = {2}
    assert told(steps_of(run, tmp_path)) == {
        "ingest": (3, 1.0),
        "commit": (3, 1.0),
        "publish": (2, 0.5),
        "fan_out": (4, 0.5),
        "push": (4, 2.0),
        "total": (6, 5.0),
    }


@pytest.mark.parametrize(("messages", "negative"), [(100, ("commit",)), (101, ())])
def test_a_step_is_left_out_where_one_of_a_hundred_takes_less_than_no_time(
    tmp_path: Path, messages: int, negative: tuple[str, ...]
) -> None:
    """On one kernel no clock explains a commit half a millisecond before the message was accepted."""
    run = HandMade()
    run.post(0, committed_ms=0.5)
    for _ in range(messages - 1):
        run.post(0)
    found = steps_of(run, tmp_path)
    assert found.negative == negative
    assert (found.commit is None) is bool(negative)
    assert found.publish is not None


def test_a_write_path_that_publishes_first_persists_last(tmp_path: Path) -> None:
    """Accepted at 1, published at 2.5, committed at 40 ms; fan-out is counted from acceptance."""
    run = HandMade(changes={"write_path": "broker-first"})
    run.post(0, committed_ms=40)
    found = told(steps_of(run, tmp_path))
    assert found == {
        "ingest": (1, 1.0),
        "publish": (1, 1.5),
        "fan_out": (2, 2.0),
        "push": (2, 2.0),
        "persist": (1, 37.5),
        "total": (2, 5.0),
    }


def test_where_nothing_was_lost_no_hop_lost_anything(run: HandMade, tmp_path: Path) -> None:
    assert measured(run.verdict(tmp_path)).lost_at == ()


@pytest.mark.parametrize(
    ("planted", "hop"),
    [
        ({"unpublished": {1}}, "committed → published"),
        ({"silent": {(1, 1)}}, "published → received by the client's server"),
        ({}, "written to the socket → received by the client"),
    ],
)
def test_a_loss_is_charged_to_the_hop_that_lost_it(tmp_path: Path, planted: dict[str, set[object]], hop: str) -> None:
    """The first hop after which no trace of the message is found."""
    run = HandMade()
    run.post(0)
    run.post(0, to=[0])
    for name, value in planted.items():
        setattr(run, name, value)
    assert measured(run.verdict(tmp_path)).lost_at == (LostAt(hop=hop, deliveries=1),)
