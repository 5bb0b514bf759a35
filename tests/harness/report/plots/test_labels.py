from hypothesis import given
from hypothesis import strategies as st

from harness.report.plots.labels import Label, placed

WIDTH, LETTER = 400.0, 6.0


def test_a_word_stands_right_of_its_line_or_left_where_there_is_no_room() -> None:
    """At the right edge the word is left of its line."""
    assert placed([(10.0, "stop"), (398.0, "back")], WIDTH, LETTER) == (
        Label(at=10.0, words="stop", left=False, row=0),
        Label(at=398.0, words="back", left=True, row=0),
    )


def test_words_that_would_meet_are_staggered() -> None:
    """If two moments are close together at the right edge, the second word moves up one row."""
    assert placed([(388.0, "broker back"), (396.0, "rebroadcast")], WIDTH, LETTER) == (
        Label(at=388.0, words="broker back", left=True, row=0),
        Label(at=396.0, words="rebroadcast", left=True, row=1),
    )


def test_words_without_room_are_dropped() -> None:
    """Many close moments keep their lines, but only words that have room are shown."""
    found = placed([(200.0 + n, "casualty") for n in range(12)], WIDTH, LETTER)
    assert 1 <= sum(label is not None for label in found) <= 4


def test_nothing_is_written_over_the_warm_up() -> None:
    """A word over the warm-up moves to the upper row or is dropped."""
    (label,) = placed([(1.0, "stop broker")], WIDTH, LETTER, taken=50.0)
    assert label is None or label.row == 1


@given(st.lists(st.tuples(st.floats(0, WIDTH), st.text("abc ", max_size=30)), max_size=12), st.floats(0, 100))
def test_no_two_words_overlap(marks: list[tuple[float, str]], taken: float) -> None:
    """For any marks, words are inside the plot and apart from each other. No line goes through a word."""
    found = [label for label in placed(marks, WIDTH, LETTER, taken) if label is not None]
    boxes = [(label, *_box(label)) for label in found]
    for place, (label, begin, end) in enumerate(boxes):
        assert -1 <= begin <= end <= WIDTH + 1
        assert label.row == 1 or end <= taken or begin >= taken or not taken
        for other, low, high in boxes[place + 1 :]:
            if label.row == other.row:
                assert end <= low or high <= begin
        for other, low, high in boxes:
            if other.row < label.row:
                assert not low < label.at < high


def _box(label: Label) -> tuple[float, float]:
    length = len(label.words) * LETTER
    return (label.at - length, label.at) if label.left else (label.at, label.at + length)
