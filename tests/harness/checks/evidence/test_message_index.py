"""The messages of a trace's rows are found by channel and seq."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.evidence.message_index import SLOTS_PER_MESSAGE, MessageIndex

DENSE = st.integers(0, 6)
SPARSE = st.integers(0, 6).map(lambda seq: seq * 10**9)
CHANNEL = st.integers(0, 3)
MESSAGES = st.one_of(
    st.lists(st.tuples(CHANNEL, DENSE), max_size=12),
    st.lists(st.tuples(CHANNEL, st.one_of(DENSE, SPARSE)), max_size=12),
)
ROWS = st.lists(st.tuples(st.integers(0, 5), st.one_of(DENSE, SPARSE, st.integers(-3, 2**50))), max_size=12)


def columns(pairs: list[tuple[int, int]]) -> tuple["np.ndarray", "np.ndarray"]:
    table = np.array(pairs, np.int64).reshape(-1, 2)
    return table[:, 0], table[:, 1]


@given(messages=MESSAGES, rows=ROWS)
def test_each_row_finds_the_first_message_of_its_channel_and_seq(
    messages: list[tuple[int, int]], rows: list[tuple[int, int]]
) -> None:
    """For dense numbers, numbers with large gaps, and rows of channels and seqs that no message has."""
    first = {pair: number for number, pair in reversed(list(enumerate(messages))) if pair[1] > 0}
    channel, seq = columns(rows)
    found, known = MessageIndex(*columns(messages)).find(channel.astype(np.uint32), seq)
    assert known.tolist() == [row in first for row in rows]
    assert found.tolist() == [first[row] for row in rows if row in first]


@pytest.mark.parametrize("gap", [1, SLOTS_PER_MESSAGE, SLOTS_PER_MESSAGE + 1, 10**12])
def test_a_gap_of_any_size_needs_no_more_memory(gap: int) -> None:
    """The table of a channel with a seq of 10^12 would be four terabytes."""
    seq = np.arange(1, 4) * gap
    found, known = MessageIndex(np.zeros(3, np.int64), seq).find(np.zeros(4, np.uint32), np.r_[seq[::-1], 2 * gap + 1])
    assert found.tolist() == [2, 1, 0] + ([2] if gap == 1 else [])
    assert known.tolist() == [True, True, True, gap == 1]


@pytest.mark.parametrize("gap", [1, 10**6])
def test_the_first_of_many_messages_with_one_seq_is_found(gap: int) -> None:
    """A server that numbers wrongly gives 100 messages to each seq."""
    seq = np.tile(np.arange(1, 11) * gap, 100)
    found, known = MessageIndex(np.zeros(1000, np.int64), seq).find(np.zeros(10, np.uint32), seq[:10])
    assert known.all()
    assert found.tolist() == list(range(10))
