"""The search for the highest load, with made-up systems."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.model.capacity import Found, TrialResult
from harness.planning.capacity_search import GAP_SHARE, TRIALS_MAX, Bounds, Proof, Trial, next_value, proof, rounded

HELD, BROKE, GENERATOR, UNDECIDED = TrialResult.HELD, TrialResult.BROKE, TrialResult.GENERATOR, TrialResult.UNDECIDED


def search(system: Callable[[int], TrialResult], bounds: Bounds) -> tuple[list[Trial], Proof]:
    """All trials of a search, and its proof."""
    trials: list[Trial] = []
    while (value := next_value(trials, bounds)) is not None:
        assert bounds.floor <= value <= bounds.ceiling
        trials.append(Trial(value=value, result=system(value)))
    return trials, proof(trials, bounds)


BOUNDS = st.builds(
    lambda floor, start, ceiling: Bounds(floor=floor, start=floor + start, ceiling=floor + start + ceiling),
    st.integers(1, 50),
    st.integers(0, 5_000),
    st.integers(0, 100_000),
)


@given(limit=st.integers(1, 200_000), bounds=BOUNDS)
def test_a_limit_is_found_within_the_gap(limit: int, bounds: Bounds) -> None:
    """The system holds up to a limit and breaks above it. The found value holds, and the value that broke is at most
    the gap above it."""
    trials, found = search(lambda value: HELD if value <= limit else BROKE, bounds)
    assert len(trials) < TRIALS_MAX
    if limit < bounds.floor:
        assert found.found is Found.NONE
    elif limit >= bounds.ceiling:
        assert (found.found, found.value) == (Found.LOWER_BOUND, bounds.ceiling)
    else:
        assert found.found is Found.CAPACITY
        assert found.value is not None
        assert found.broke_at is not None
        assert found.value <= limit < found.broke_at
        # There is no other value between two neighbouring numbers with two leading digits.
        neighbour = found.value + max(1, 10 ** (len(str(found.value)) - 2))
        assert found.broke_at <= max(found.value * (1 + GAP_SHARE), neighbour)


@given(limit=st.integers(100, 20_000), seed=st.integers(0, 2**32), noise=st.floats(0.0, 0.1), bounds=BOUNDS)
def test_noise_near_the_limit_moves_the_result_little(limit: int, seed: int, noise: float, bounds: Bounds) -> None:
    """In each trial the limit is a few percent higher or lower. The search ends, every boundary is confirmed, and the
    value is near the limit."""
    rng = random.Random(seed)
    trials, found = search(lambda value: HELD if value <= limit * rng.uniform(1 - noise, 1 + noise) else BROKE, bounds)
    assert len(trials) <= TRIALS_MAX
    if found.value is not None:
        assert sum(each == Trial(value=found.value, result=HELD) for each in trials) >= 2
        assert found.value <= limit * (1 + noise)
    if found.found is Found.CAPACITY:
        assert Trial(value=found.broke_at or 0, result=BROKE) in trials


@given(results=st.lists(st.sampled_from(list(TrialResult)), min_size=TRIALS_MAX), bounds=BOUNDS)
def test_whatever_a_system_does_the_search_ends(results: list[TrialResult], bounds: Bounds) -> None:
    """The results are random. The number of trials is limited, and no value is claimed unless two trials of it held."""
    answers = iter(results)
    trials, found = search(lambda _: next(answers), bounds)
    assert len(trials) <= TRIALS_MAX
    if found.found in (Found.CAPACITY, Found.LOWER_BOUND):
        assert sum(each == Trial(value=found.value or 0, result=HELD) for each in trials) >= 2
    if found.found is Found.CAPACITY:
        assert found.broke_at is not None
        assert found.value is not None
        assert found.value < found.broke_at


@given(limit=st.integers(100, 20_000), bounds=BOUNDS)
def test_a_load_generator_that_gives_out_leaves_a_lower_bound(limit: int, bounds: Bounds) -> None:
    """Above the load generator's limit the search cannot decide. A value that held twice is a lower bound, never a
    capacity."""
    _, found = search(lambda value: HELD if value <= limit else GENERATOR, bounds)
    assert found.found is (Found.UNDECIDED if limit < bounds.floor else Found.LOWER_BOUND)
    assert found.broke_at is None


def test_a_load_that_holds_only_once_is_not_a_capacity() -> None:
    """The second trial of 1,000 breaks. The search continues below 1,000."""
    answers = {1_000: [HELD, BROKE], 2_000: [BROKE], 1_400: [BROKE], 1_200: [BROKE], 1_100: [BROKE]}
    trials, found = search(
        lambda value: answers[value].pop(0) if value in answers else HELD, Bounds(start=1_000, floor=1, ceiling=10_000)
    )
    assert Trial(value=1_000, result=BROKE) in trials
    assert found.value is not None
    assert found.value < 1_000
    assert found.broke_at == 1_000


def test_what_was_undecided_once_is_repeated() -> None:
    """One disturbed trial does not end the search below the limit."""
    answers = {1_000: [UNDECIDED, HELD]}
    trials, found = search(
        lambda value: answers[value].pop(0) if answers.get(value) else (HELD if value <= 3_000 else BROKE),
        Bounds(start=1_000, floor=1, ceiling=10_000),
    )
    assert [trial.value for trial in trials[:2]] == [1_000, 1_000]
    assert found.value == 3_000


@pytest.mark.parametrize("undecided", [GENERATOR, UNDECIDED])
def test_an_undecided_trial_is_repeated_once_only(undecided: TrialResult) -> None:
    """The second trial of the value held. The search continues above it and does not try this value a third time."""
    trials = [Trial(value=1_000, result=undecided), Trial(value=1_000, result=HELD)]
    assert next_value(trials, Bounds(start=1_000, floor=1, ceiling=10_000)) == 2_000


def test_a_break_beyond_an_undecided_load_is_no_boundary() -> None:
    """2,000 broke, but 1,100 was undecided. The system may not be what failed first, so 1,000 is a lower bound."""
    results = [(1_000, HELD), (2_000, BROKE), (1_100, GENERATOR), (1_100, GENERATOR), (1_000, HELD)]
    found = proof(
        [Trial(value=value, result=result) for value, result in results], Bounds(start=1, floor=1, ceiling=9_000)
    )
    assert found == Proof(found=Found.LOWER_BOUND, value=1_000, above=1_100, broke_at=2_000)


def test_a_search_that_ends_early_proves_what_it_saw() -> None:
    """Ctrl-C ends the search after no trial, or after one or two trials that held."""
    bounds = Bounds(start=10, floor=1, ceiling=100)
    once = [Trial(value=10, result=HELD)]
    assert proof([], bounds).found is Found.UNDECIDED
    assert proof(once, bounds).found is Found.UNDECIDED
    assert proof(once * 2, bounds) == Proof(found=Found.LOWER_BOUND, value=10)


@pytest.mark.parametrize(("value", "found"), [(0.2, 1), (7.4, 7), (14.4, 14), (1_414.2, 1_400), (149_999, 150_000)])
def test_values_have_two_leading_digits(value: float, found: int) -> None:
    """Such loads are easy to say and to compare."""
    assert rounded(value) == found
