"""Turns: each round runs both builds, in a fair order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.comparison.turns import Side, turns


@given(st.integers(1, 40), st.integers(0, 1000))
def test_each_build_runs_once_a_round_and_leads_half_of_them(rounds: int, seed: int) -> None:
    """A drift of the machine affects both builds alike."""
    order = turns(rounds, seed)
    assert [number for number, _ in order] == [number for number in range(1, rounds + 1) for _ in range(2)]
    leaders = [side for _, side in order[::2]]
    assert all({order[i][1], order[i + 1][1]} == set(Side) for i in range(0, 2 * rounds, 2))
    assert abs(leaders.count(Side.BASE) - leaders.count(Side.RUN)) <= 1


def test_the_order_is_drawn_and_repeats_with_the_seed() -> None:
    """The order is random: the first build of a round follows no pattern. The same seed gives the same order."""
    assert turns(6, 1) == turns(6, 1)
    assert len({turns(6, seed) for seed in range(20)}) > 5


@pytest.mark.parametrize("rounds", [1, 3])
def test_an_odd_round_goes_to_either(rounds: int) -> None:
    """With an odd number of rounds, either build can be first once more than the other."""
    assert {sum(side is Side.BASE for _, side in turns(rounds, seed)[::2]) for seed in range(20)} == {
        rounds // 2,
        rounds // 2 + 1,
    }
