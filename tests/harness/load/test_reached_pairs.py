"""The pairs that a load worker has reached, from hand-written and generated rows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.load import reached_pairs as module
from harness.load.reached_pairs import ReachedPairs
from harness.planning.arrivals import Schedule, schedule
from harness.planning.placement import client_channels, client_workers
from harness.recording.format import ALTERED, DELIVERY, FRAME, SOUND, UNVERIFIED
from tests.harness.plans import a_plan

PLAN = a_plan(servers=2, clients=8, audience=4, workers=2, rate_hz=20.0)
SCHEDULE = schedule(PLAN)
MINE = np.flatnonzero(client_workers(PLAN) == 0)
CHANNEL = client_channels(PLAN)


def frames(*rows: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    """One frame for each (message, flaw), in the message's own channel."""
    return np.array([(message, SCHEDULE.channel[message], 1, flaw) for message, flaw in rows], FRAME)


def deliveries(*rows: tuple[int, int]) -> "np.ndarray[tuple[int], np.dtype[np.void]]":
    return np.array([(client, frame, 1) for client, frame in rows], DELIVERY)


def members(message: int) -> list[int]:
    return [client for client in MINE.tolist() if CHANNEL[client] == SCHEDULE.channel[message]]


def test_a_repetition_is_no_other_pair() -> None:
    """A message that comes twice to one client and never to another is one pair, in one call or in several."""
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    reached.add_frames(frames((0, SOUND)))
    first, second = members(0)
    reached.add(deliveries((first, 0), (first, 0)))
    reached.add(deliveries((first, 0)))
    assert reached.count == 1
    reached.add(deliveries((second, 0)))
    assert reached.count == 2


def test_what_is_not_as_posted_is_no_pair() -> None:
    """Four kinds do not count: an altered text, a text in another channel, a text of another run, and a client of
    another channel."""
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    wrong = frames((0, ALTERED), (0, SOUND), (0, SOUND), (0, SOUND))
    wrong["channel"][1] = 1 - wrong["channel"][1]
    wrong["message"][2] = -1
    reached.add_frames(wrong)
    outsider = next(client for client in MINE.tolist() if client not in members(0))
    reached.add(deliveries((members(0)[0], 0), (members(0)[0], 1), (members(0)[0], 2), (outsider, 3)))
    assert reached.count == 0
    assert reached.broken == 4


def test_what_was_not_compared_breaks_nothing() -> None:
    """A load worker with a full table of frames does not know whether a new frame is as posted."""
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    reached.add_frames(frames((0, UNVERIFIED), (0, SOUND)))
    reached.add(deliveries((members(0)[0], 0), (members(0)[0], 1), (members(0)[0], 1)))
    assert (reached.count, reached.broken) == (1, 0)


def test_the_same_message_in_two_frames_is_one_pair() -> None:
    """The second frame may be one that was forgotten and verified again, or may have another seq. For the client it is
    a repetition."""
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    reached.add_frames(frames((1, SOUND)))
    reached.add(deliveries((members(1)[0], 0)))
    reached.add_frames(frames((1, SOUND)))
    reached.add(deliveries((members(1)[0], 1)))
    assert reached.count == 1


@given(st.data())
@pytest.mark.parametrize("block", [3, 1 << 20])
def test_it_is_the_number_of_distinct_pairs(block: int, data: st.DataObject) -> None:
    """The order and the pieces in which deliveries arrive do not matter. Full blocks take no memory."""
    pairs = [(client, message) for message in range(len(SCHEDULE)) for client in members(message)]
    rows = data.draw(st.lists(st.sampled_from(pairs), max_size=80))
    everything = data.draw(st.booleans())
    rows += pairs if everything else []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "BLOCK_PAIRS", block)
        reached = ReachedPairs(PLAN, 0, SCHEDULE)
        reached.add_frames(frames(*((message, SOUND) for message in range(len(SCHEDULE)))))
        for part in np.array_split(np.arange(len(rows)), 4):
            if len(part):
                reached.add(deliveries(*(rows[row] for row in part)))
    assert reached.count == len(set(rows))
    if everything:
        assert reached._blocks == {}


def test_more_frames_than_there_was_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table of frames grows."""
    monkeypatch.setattr(module, "_ROWS", 2)
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    for message in range(5):
        reached.add_frames(frames((message, SOUND)))
    reached.add(deliveries((members(4)[0], 4), (members(0)[0], 0)))
    assert reached.count == 2


def test_every_worker_has_its_own_pairs() -> None:
    """The pairs of all workers together are the pairs of the schedule."""
    assert isinstance(SCHEDULE, Schedule)
    sizes = [ReachedPairs(PLAN, worker, SCHEDULE)._pairs for worker in range(2)]
    assert sum(sizes) == len(SCHEDULE) * PLAN.audience


@pytest.mark.parametrize("block", [3, 1 << 20])
def test_pairs_of_disregarded_messages_do_not_count(monkeypatch: pytest.MonkeyPatch, block: int) -> None:
    """This holds for pairs that arrived before `disregard` and for later ones, in known frames and in new ones."""
    monkeypatch.setattr(module, "BLOCK_PAIRS", block)
    reached = ReachedPairs(PLAN, 0, SCHEDULE)
    reached.add_frames(frames((0, SOUND), (1, SOUND), (2, SOUND)))
    reached.add(deliveries(*((client, number) for number in (0, 1) for client in members(number))))
    both = reached.count
    reached.disregard([0, 2])
    reached.disregard([0])
    assert reached.count == both - len(members(0))
    reached.add_frames(frames((0, SOUND)))
    reached.add(deliveries((members(0)[0], 0), (members(2)[0], 2), (members(0)[0], 3)))
    assert reached.count == both - len(members(0))
