from hypothesis import given
from hypothesis import strategies as st

from reference_server.gateway import channel as channel_module
from reference_server.gateway.channel import Arrival, Channel
from reference_server.protocol.server_events import gap_frame
from reference_server.server_trace import GAP, LIVE, RECOVERED
from tests.reference_server.fakes import frame


def opened(position: int = 0) -> Channel:
    channel = Channel("c")
    channel.start(position)
    return channel


def offer(channel: Channel, *seqs: int) -> list[Arrival]:
    return [channel.offer(seq, frame(seq), 0) for seq in seqs]


def taken(channel: Channel) -> list[int]:
    return [delivery.seq for delivery in channel.pending]


def test_messages_in_order_are_taken_at_once() -> None:
    """The next seq is taken and becomes the position."""
    channel = opened(41)
    assert offer(channel, 42, 43) == [Arrival.TAKEN, Arrival.TAKEN]
    assert (taken(channel), channel.position, channel.flushed) == ([42, 43], 43, 41)


def test_a_repetition_is_dropped() -> None:
    """A seq that is not beyond the position, or that already waits, is never taken again."""
    channel = opened(41)
    assert offer(channel, 42, 42, 41, 1, 44, 44)[1:] == [
        Arrival.REPEATED,
        Arrival.REPEATED,
        Arrival.REPEATED,
        Arrival.HELD,
        Arrival.REPEATED,
    ]


def test_a_message_ahead_of_its_turn_waits_for_those_before_it() -> None:
    """No message overtakes another: 3 and 4 are taken after 2 has arrived."""
    channel = opened(1)
    assert offer(channel, 4, 3) == [Arrival.HELD, Arrival.HELD]
    assert channel.behind
    assert offer(channel, 2) == [Arrival.TAKEN]
    assert taken(channel) == [2, 3, 4]
    assert not channel.behind


def test_what_arrives_before_the_position_is_known_is_kept_until_it_is() -> None:
    """A message between the subscription and the read of the newest seq is not lost. Older messages are not
    delivered."""
    channel = Channel("c")
    offer(channel, 6, 5, 8)
    channel.start(5)
    assert (taken(channel), sorted(channel.held), channel.flushed) == ([6], [8], 5)


def test_the_database_fills_a_hole() -> None:
    """Rows read from the log close the hole and are marked as recovered. The messages held behind them are taken."""
    channel = opened(1)
    offer(channel, 5)
    assert channel.recover([(2, frame(2)), (3, frame(3)), (4, frame(4)), (5, frame(5))], 0) == 3
    assert [(delivery.seq, delivery.source) for delivery in channel.pending] == [
        (2, RECOVERED),
        (3, RECOVERED),
        (4, RECOVERED),
        (5, LIVE),
    ]
    assert not channel.held


def test_rows_that_arrived_live_meanwhile_are_not_taken_twice() -> None:
    """The backplane may deliver during a read from the log. Each message is taken once."""
    channel = opened(1)
    offer(channel, 2, 3)
    assert channel.recover([(2, frame(2)), (3, frame(3)), (4, frame(4))], 0) == 1
    assert [(delivery.seq, delivery.source) for delivery in channel.pending] == [(2, LIVE), (3, LIVE), (4, RECOVERED)]


def test_too_many_ahead_of_their_turn_are_left_to_the_database() -> None:
    """The number of held messages is limited. A shed message still counts as missing."""
    channel = opened(0)
    offer(channel, *range(2, 2 + channel_module.HELD_LIMIT))
    newest = 2 + channel_module.HELD_LIMIT
    assert offer(channel, newest) == [Arrival.SHED]
    assert channel.expected == newest
    assert channel.behind


def test_too_many_waiting_to_be_written_are_left_to_the_database() -> None:
    """The number of pending bytes is limited."""
    channel = opened(0)
    channel.offer(1, b"x" * (channel_module.PENDING_LIMIT_BYTES + 1), 0)
    assert offer(channel, 2) == [Arrival.SHED]
    assert channel.recover([(2, frame(2))], 0) == 0
    channel.take_pending(1)
    assert channel.recover([(2, frame(2))], 0) == 1


def test_a_skip_ends_the_holes_that_have_been_seen_for_long_enough() -> None:
    """Any later message shows a hole. If only newer messages show a hole, it stays, and so do the messages behind
    it."""
    channel = opened(1)
    for seq, received_ns in ((4, 30), (5, 10), (8, 10), (7, 30), (9, 30), (11, 30)):
        channel.offer(seq, frame(seq), received_ns)
    assert channel.skip(9) == 0
    assert channel.skip(10) == 3
    assert (taken(channel), channel.position, sorted(channel.held)) == ([4, 5, 7, 8, 9], 9, [11])
    assert channel.skip(30) == 1
    assert not channel.held


def test_a_flush_takes_whole_messages_up_to_its_limit() -> None:
    """A flush takes at least one message of any size, and otherwise only messages that fit in the limit. ``flushed``
    follows."""
    channel = opened(0)
    for seq, size in ((1, 100), (2, 30), (3, 30), (4, 30)):
        channel.offer(seq, b"x" * size, 0)
    assert [delivery.seq for delivery in channel.take_pending(60)] == [1]
    assert [delivery.seq for delivery in channel.take_pending(60)] == [2, 3]
    assert channel.flushed == 3
    assert [delivery.seq for delivery in channel.take_pending(60)] == [4]
    assert (channel.pending, channel.pending_bytes, channel.flushed) == ([], 0, 4)


@st.composite
def histories(draw: st.DrawFn) -> tuple[int, list[int], list[int]]:
    """A number of messages, the order of their arrivals with losses and repetitions, and the moments when the log is
    read."""
    count = draw(st.integers(1, 12))
    arrivals = draw(st.lists(st.integers(1, count), max_size=30))
    reads = draw(st.lists(st.integers(0, len(arrivals)), max_size=4))
    return count, arrivals, reads


@given(histories())
def test_an_unreliable_backplane_does_not_change_the_order(history: tuple[int, list[int], list[int]]) -> None:
    """Messages are lost, repeated and reordered. The channel takes 1, 2, 3 …, each once. A last read of the log makes
    it complete."""
    count, arrivals, reads = history
    channel = opened(0)
    out: list[int] = []
    for at in range(len(arrivals) + 1):
        for _ in range(reads.count(at)):
            start = channel.position or 0
            channel.recover([(seq, frame(seq)) for seq in range(start + 1, count + 1)], 0)
        if at < len(arrivals):
            offer(channel, arrivals[at])
        if channel.pending:
            out += [delivery.seq for delivery in channel.take_pending(6)]
    assert out == list(range(1, len(out) + 1))
    channel.recover([(seq, frame(seq)) for seq in range(1, count + 1)], 0)
    while channel.pending:
        out += [delivery.seq for delivery in channel.take_pending(6)]
    assert out == list(range(1, count + 1))


def test_an_announcement_is_new_once() -> None:
    """An announcement is new if its seq is beyond all taken and announced ones. The channel is behind until that
    message is taken."""
    channel = opened(3)
    assert [channel.announce(seq) for seq in (3, 1, 5, 5, 4, 6)] == [False, False, True, False, False, True]
    assert channel.announced_more
    assert channel.behind
    channel.recover([(seq, frame(seq)) for seq in (4, 5, 6)], 0, LIVE)
    assert [(delivery.seq, delivery.source) for delivery in channel.pending] == [(4, LIVE), (5, LIVE), (6, LIVE)]
    assert not channel.announced_more
    assert not channel.behind


def test_an_announcement_before_the_start_is_remembered() -> None:
    """The read that starts the channel may be older than the announcement."""
    channel = Channel("c")
    assert channel.announce(7)
    assert not channel.announced_more
    channel.start(5)
    assert (channel.position, channel.expected) == (5, 7)
    assert channel.announced_more


def test_a_channel_starts_once() -> None:
    """Two clients may subscribe at the same moment. The second answer of the log only raises the expected seq."""
    channel = opened(5)
    channel.start(7)
    assert (channel.position, channel.flushed, channel.expected) == (5, 5, 7)


def test_a_message_that_is_lost_for_good_is_passed_as_a_gap() -> None:
    """The gap is written in its place, so the channel continues. It is marked as a gap, not as a delivery."""
    channel = opened()
    offer(channel, 3)
    channel.recover([(1, frame(1)), (2, gap_frame("c" * 128, 2))], 0)
    assert [(delivery.seq, delivery.source) for delivery in channel.pending] == [(1, RECOVERED), (2, GAP), (3, LIVE)]
