"""Interruptions that no planned fault explains, and the messages that they may have disturbed."""

from pathlib import Path

import numpy as np

from harness.checks.evidence.host_clocks import HostClocks
from harness.checks.evidence.interruptions import BackplaneGap, Interruptions, interruptions
from harness.checks.evidence.sessions import NEVER, sessions_of
from harness.recording import format as layout
from tests.harness.recordings import MS, START_NS, HandMade

SECOND = 1_000_000_000
NONE = np.empty(0, np.int64)


def found_in(run: HandMade, folder: Path) -> Interruptions:
    recording = run.recording(folder)
    clocks = HostClocks(recording.clocks)
    hosts = np.array([clocks.of_file(f"accepted-{server:02}") for server in range(run.servers)])
    return interruptions(recording, sessions_of(recording, clocks), clocks, hosts, (), START_NS)


def test_the_window_covers_each_interruption_and_a_second_around_it() -> None:
    """The time between two separate interruptions is not in the window. An interruption without an end lasts to the end
    of the run."""
    found = Interruptions(
        lost=np.array([0, 1]),
        begin_ns=np.array([10, 30]) * SECOND,
        end_ns=np.array([11 * SECOND, 31 * SECOND]),
        backplane=(BackplaneGap(server=0, begin_ns=50 * SECOND, end_ns=NEVER),),
    )
    at_s = np.array([8, 9, 10, 12, 13, 28, 29, 31, 32, 33, 48, 49, 60, 1000])
    assert at_s[found.window(at_s * SECOND)].tolist() == [9, 10, 12, 29, 31, 32, 49, 60, 1000]
    assert found
    assert not Interruptions(lost=NONE, begin_ns=NONE, end_ns=NONE, backplane=())


def test_a_backplane_is_away_from_its_loss_until_everything_is_subscribed(tmp_path: Path) -> None:
    """A backplane that is up but not subscribed is still away, and losses before the load do not count. If the clock of
    a server is not known, only the length of its interruptions is known."""
    run = HandMade()
    run.post(0)
    run.backplane = {
        0: [
            (layout.DOWN, -90.0),
            (layout.SUBSCRIBED, -80.0),
            (layout.DOWN, 100.0),
            (layout.UP, 200.0),
            (layout.SUBSCRIBED, 300.0),
        ],
        1: [(layout.SUBSCRIBED, -80.0), (layout.DOWN, 100.0)],
    }
    first, second = START_NS + 100 * MS, START_NS + 300 * MS
    gap = BackplaneGap(server=0, begin_ns=first, end_ns=second)
    assert found_in(run, tmp_path).backplane == (gap, BackplaneGap(server=1, begin_ns=first, end_ns=NEVER))
    run.clock_offsets_ns = {1: 500_000 * MS}
    assert found_in(run, tmp_path).backplane == (gap,)
    run.backplane[1] = run.backplane[0]
    (_, undated) = found_in(run, tmp_path).undated
    assert (undated.server, undated.end_ns - undated.begin_ns) == (1, 200 * MS)
    run.backplane[1] = [(layout.SUBSCRIBED, -80.0), (layout.DOWN, 100.0)]
    run.clock_bounds_ns = {1: 1}
    assert len(found_in(run, tmp_path).backplane) == 2
