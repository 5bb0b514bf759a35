"""A capacity search in words."""

from dataclasses import replace

from harness.model.capacity import Found
from harness.model.finding import Status
from harness.report.text.capacity_words import capacity_headline, sentence, step_table
from tests.harness.searches import BROKE, GENERATOR, UNDECIDED, a_capacity, a_search, a_step


def plain(words: str) -> str:
    return words.replace("\u202f", ",").replace("\u00a0", " ")


def test_a_capacity_is_told_with_what_broke_above_and_what_gave_out() -> None:
    """The sentence names the value, the limit, the load above it and the exhausted resource."""
    capacity = a_capacity()
    assert capacity.found is Found.CAPACITY
    told = plain(sentence(capacity))
    assert told == (
        "1,400 messages/s had every delivery and a P99 within 100 ms, in two runs; 1,500 messages/s did not. "
        "Exhausted resource: server CPU, because all 2 cores were busy."
    )
    assert capacity_headline(capacity).status is Status.PASS


def test_a_lower_bound_says_that_it_is_no_capacity() -> None:
    """If the load generator falls behind first, the sentence says nothing about the system above that load."""
    capacity = a_capacity(a_step(1, 1_000), a_step(2, 1_000), a_step(3, 1_100, GENERATOR), a_step(4, 1_100, GENERATOR))
    assert capacity.found is Found.LOWER_BOUND
    told = plain(sentence(capacity))
    assert told.startswith("At least 1,000 messages/s")
    assert "1,100 messages/s was not decided, because the load generator fell behind" in told
    assert "lower bound, not a capacity" in told
    assert capacity_headline(capacity).status is Status.UNKNOWN


def test_a_disturbed_load_is_told_with_its_reason() -> None:
    """The sentence gives the reason of an undecided load."""
    disturbed = [
        replace(a_step(number, 1_100, UNDECIDED), because="others used 1.4 cores", exhaustion=None) for number in (3, 4)
    ]
    told = plain(sentence(a_capacity(a_step(1, 1_000), a_step(2, 1_000), *disturbed)))
    assert "1,100 messages/s was not decided (others used 1.4 cores). This is a lower bound" in told


def test_a_break_beyond_an_undecided_load_is_told_with_both() -> None:
    """The lower bound names the undecided load and the load that broke. The exhausted resource is that of the undecided
    load."""
    undecided = [a_step(number, 1_100, GENERATOR) for number in (4, 5)]
    capacity = a_capacity(a_step(1, 1_000), a_step(2, 1_000), a_step(3, 2_000, BROKE), *undecided)
    assert capacity.found is Found.LOWER_BOUND
    told = plain(sentence(capacity))
    assert (
        "1,100 messages/s was not decided, because the load generator fell behind, and 2,000 messages/s did not" in told
    )
    assert capacity.exhaustion == undecided[0].exhaustion


def test_what_was_not_found_is_said() -> None:
    """No load held, no load was confirmed, or the search was interrupted."""
    floor = a_search().floor
    assert "did not have" in sentence(a_capacity(a_step(1, floor, BROKE)))
    once = replace(a_capacity(a_step(1, 1_000)), ended="interrupted")
    assert "had it once" in sentence(once)
    assert sentence(once).endswith("The search ended early: interrupted.")
    assert capacity_headline(once).tiles[0].figure == "–"


def test_each_step_has_its_row_and_its_recording() -> None:
    """The rows are in the order of the search. Each row links to the folder of its run."""
    table = step_table(a_capacity())
    assert table is not None
    assert [plain(row[0].text) for row in table.rows] == ["1,000", "2,000", "1,400", "1,700", "1,500", "1,400"]
    assert table.rows[1][0].link == "runs/02-rate-2000/"
    assert [row[1].status for row in table.rows][:2] == ["pass", "fail"]
    assert step_table(replace(a_capacity(), steps=())) is None


def test_the_figures_at_the_capacity_are_those_of_a_step_that_held() -> None:
    """The first step at this load was undecided."""
    undecided = replace(a_step(1, 1_000, GENERATOR), p99_ms=777.0)
    capacity = a_capacity(undecided, a_step(2, 1_000), a_step(3, 1_000), a_step(4, 1_100, BROKE))
    assert capacity.value == 1_000
    tile = next(tile for tile in capacity_headline(capacity).tiles if tile.name == "P99 at it")
    assert plain(tile.figure) == "40 ms"
