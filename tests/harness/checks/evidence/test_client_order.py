"""The order of deliveries, one client at a time."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.checks.evidence.client_order import ClientOrder


def behind(rows: list[tuple[int, int]], pieces: int = 1) -> list[tuple[int, int]]:
    """(row, highest seq before it) of each (client, seq) that comes behind a later seq; the rows are read in ``pieces``
    pieces."""
    highest = np.zeros(8, np.int64)
    order, found = ClientOrder(highest, np.arange(8)), []
    for part in np.array_split(np.arange(len(rows)), pieces):
        client = np.array([rows[row][0] for row in part], np.int64)
        seq = np.array([rows[row][1] for row in part], np.int64)
        answer = order.follow(client, seq)
        found += zip(part[answer.rows].tolist(), answer.highest.tolist(), strict=True)
    return sorted(found)


@pytest.mark.parametrize("pieces", [1, 2, 4])
def test_everything_behind_the_highest_counts(pieces: int) -> None:
    """n + 3, n, n + 1, n + 2: three deliveries are behind, not only the one right after the highest."""
    assert behind([(0, 4), (0, 1), (0, 2), (0, 3)], pieces) == [(1, 4), (2, 4), (3, 4)]


def test_each_client_has_its_own_order() -> None:
    """Deliveries to another client do not matter."""
    assert behind([(0, 9), (1, 1), (2, 5), (1, 2), (2, 4)]) == [(4, 5)]


def test_nothing_is_behind_in_order() -> None:
    """A gap is not a wrong order. Without deliveries nothing is behind."""
    assert behind([(0, 1), (0, 2), (0, 7)]) == []
    assert behind([]) == []


@given(
    st.lists(st.tuples(st.integers(0, 7), st.integers(1, 2**61)), max_size=60),
    st.integers(1, 5),
)
def test_it_is_the_definition(rows: list[tuple[int, int]], pieces: int) -> None:
    """A row is behind if an earlier row of its client has a higher seq, wherever the pieces end."""
    expected = []
    for row, (client, seq) in enumerate(rows):
        highest = max((s for c, s in rows[:row] if c == client), default=0)
        if seq < highest:
            expected.append((row, highest))
    assert behind(rows, pieces) == expected
