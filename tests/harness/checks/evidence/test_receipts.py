"""When messages were received, from the first deliveries of a few pairs."""

from pathlib import Path

import numpy as np

from harness.checks.evidence.receipts import Receipts
from harness.planning.arrivals import WARM_UP
from tests.harness.checks.evidence.gathered import gathered
from tests.harness.recordings import MS, HandMade


def added(folder: Path, *rows: tuple[int, float], bound_ms: float = 0, **changes: object) -> Receipts:
    """Receipts (message, ms after it was due) of three messages, which were sent 1 ms after they were due. The first
    message belongs to the warm-up."""
    run = HandMade()
    run.post(0, phase=WARM_UP)
    run.post(0)
    run.post(0)
    receipts = Receipts(gathered(run, folder, **changes))
    message = np.array([row[0] for row in rows], np.int64)
    received = np.array([run.due_ns(row[0]) + int(row[1] * MS) for row in rows], np.int64)
    receipts.add(message, received, int(bound_ms * MS))
    return receipts


def test_the_last_client_completes_a_message(tmp_path: Path) -> None:
    """The order of the receipts does not matter. A message without a receipt has 0."""
    found = added(tmp_path, (1, 9), (1, 5), (0, 7))
    due = [HandMade().due_ns(message) for message in range(3)]
    assert found.last_ns.tolist() == [due[0] + 7 * MS, due[1] + 9 * MS, 0]


def test_nothing_added_changes_nothing(tmp_path: Path) -> None:
    """A worker may have no deliveries."""
    found = added(tmp_path)
    assert (found.last_ns.tolist(), found.backwards, found.in_window) == ([0, 0, 0], 0, 0)


def test_received_before_it_was_sent_counts_by_more_than_the_clock_explains(tmp_path: Path) -> None:
    """Each message is sent 1 ms after it is due. A receipt before that counts if it is earlier by more than the
    bound."""
    assert added(tmp_path, (1, 1), (2, 0.5)).backwards == 1
    assert added(tmp_path, (1, 0), (2, -0.5), bound_ms=1).backwards == 1


def test_without_a_ledger_nothing_is_backwards(tmp_path: Path) -> None:
    """Without a ledger it is not known when a message was sent."""
    posts = HandMade().recording(tmp_path).posts
    assert added(tmp_path, (1, -500), posts=posts).backwards == 0


def test_the_window_holds_its_beginning_and_not_its_end(tmp_path: Path) -> None:
    """Three messages, 10 ms apart: the window lasts 30 ms. A message of the warm-up can be received in the window, but
    was not due in it."""
    found = added(tmp_path, (0, 0), (0, -1), (1, 5), (2, 9), (2, 10))
    assert (found.in_window, found.due_in_window) == (3, 2)
