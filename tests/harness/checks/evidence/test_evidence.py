"""The data that all checks share, joined once by message."""

from pathlib import Path

import numpy as np

from harness.checks.evidence.attempts import Attempts
from harness.checks.evidence.evidence import must_arrive, slice_s
from harness.recording import format as layout
from tests.harness.checks.evidence.gathered import gathered
from tests.harness.plans import a_plan
from tests.harness.recordings import MS, START_NS, HandMade


def test_the_ledger_the_audit_and_the_traces_are_joined_by_message(tmp_path: Path) -> None:
    """Two channels number their messages independently: each row finds its message."""
    run = HandMade()
    run.post(0)
    run.post(1)
    run.post(0, stored=False)
    found = gathered(run, tmp_path)
    assert found.seq.tolist() == [1, 1, 2]
    assert found.stored_seq is not None
    assert found.stored_seq.tolist() == [1, 1, 0]
    assert found.trace is not None
    assert found.trace.accepted_by.tolist() == [0, 1, 0]
    assert ((found.trace.accepted - found.intended_ns) // MS).tolist() == [1, 1, 1]
    assert (found.pairs, found.base.tolist()) == (6, [0, 2, 4])
    assert not found.impossible_times.any()


def test_the_database_is_right_where_an_answer_names_another_seq(tmp_path: Path) -> None:
    """The seq of the database counts, and the answer is an error. Without an audit the seq of the answer is used."""
    run = HandMade()
    run.post(0, acknowledged_seq=7)
    assert gathered(run, tmp_path).seq.tolist() == [1]
    run.audited = False
    assert gathered(run, tmp_path).seq.tolist() == [7]


def test_a_message_must_arrive_where_it_is_known_to_exist(tmp_path: Path) -> None:
    """A message exists if it was acknowledged. An indeterminate message exists if it was stored or delivered. A
    rejected message does not exist."""
    run = HandMade()
    run.post(0)
    run.post(0, outcome=layout.REJECTED, stored=False)
    for stored in (True, False, False):
        run.post(0, outcome=layout.INDETERMINATE, stored=stored)
    found = gathered(run, tmp_path)
    assert must_arrive(found, np.array([0, 0, 0, 1, 0])).tolist() == [True, False, True, True, False]
    blind = gathered(run, tmp_path, stored=None)
    assert must_arrive(blind, np.array([0, 0, 0, 1, 0])).tolist() == [True, False, False, True, False]


def test_without_a_ledger_every_outcome_is_unknown(tmp_path: Path) -> None:
    """The missing part is named. No post is taken to be acknowledged."""
    run, attempts = HandMade(), Attempts()
    run.post(0)
    found = gathered(run, tmp_path, attempts, posts=np.zeros(0, layout.POST))
    assert not found.has_ledger
    assert found.outcome.tolist() == [layout.INDETERMINATE]
    assert [missing.name for missing in attempts.failed] == ["ledger"]
    assert not found.timed.any()


def test_a_post_without_an_outcome_that_was_sent_is_indeterminate(tmp_path: Path) -> None:
    """The sender ended before it recorded the outcome. A post that was not sent stays unsent."""
    run = HandMade()
    run.post(0, outcome=layout.UNSENT)
    run.post(0, outcome=layout.UNSENT)
    posts = run.recording(tmp_path).posts.copy()
    posts["sent_ns"] = [START_NS, 0]
    assert gathered(run, tmp_path, posts=posts).outcome.tolist() == [layout.INDETERMINATE, layout.UNSENT]


def test_a_run_of_nothing_has_evidence_of_nothing(tmp_path: Path) -> None:
    """Without a message, an event and a trace, the arrays have 0 rows and no error is raised."""
    found = gathered(HandMade(traced=False), tmp_path, events=())
    assert (found.pairs, len(found.seq), found.trace, found.disturbance) == (0, 0, None, None)
    assert found.window_ns == (0, 0)
    assert not found.complete


def test_a_long_run_has_slices_of_more_than_a_second() -> None:
    """Tables by slice stay small for a long run."""
    assert [slice_s(a_plan(duration_s=seconds)) for seconds in (1.0, 1_200.0, 1_201.0, 12_000.0)] == [1, 1, 2, 10]
