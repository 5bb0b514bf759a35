"""Places the words beside the marks of a time plot so that no two of them overlap. Lengths are in points from the
plot's left edge. A mark without room for its word keeps its line.
"""

from collections.abc import Sequence
from dataclasses import dataclass

ROWS = 2
_PAD, _GAP = 4.0, 6.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Label:
    """``words`` beside the line at ``at``: to its right, or to its left; ``row`` 0 is next to the plot."""

    at: float
    words: str
    left: bool
    row: int


def placed(
    marks: Sequence[tuple[float, str]], width: float, letter: float, taken: float = 0.0
) -> tuple[Label | None, ...]:
    """A label for each of ``marks``, (position, words) in order of importance; None if there is no room.

    ``width`` is the plot's, ``letter`` an average letter's, ``taken`` what is occupied from the left in row 0.
    """
    boxes: list[list[tuple[float, float]]] = [[] for _ in range(ROWS)]
    if taken:
        boxes[0].append((0.0, taken))
    found: list[Label | None] = []
    for at, words in marks:
        label = next((one for one in _choices(at, words) if _fits(one, boxes, width, letter)), None)
        found.append(label)
        if label is not None:
            boxes[label.row].append(_box(label, letter))
            # The mark's line reaches up to its word, through the rows below.
            for row in range(label.row):
                boxes[row].append((at, at))
    return tuple(found)


def _choices(at: float, words: str) -> tuple[Label, ...]:
    return tuple(
        Label(at=at, words=words, left=left, row=row) for row in range(ROWS) for left in (False, True) if words
    )


def _box(label: Label, letter: float) -> tuple[float, float]:
    length = len(label.words) * letter + _PAD
    return (label.at - length, label.at) if label.left else (label.at, label.at + length)


def _fits(label: Label, boxes: list[list[tuple[float, float]]], width: float, letter: float) -> bool:
    begin, end = _box(label, letter)
    if begin < -1 or end > width + 1:
        return False
    free = all(end + _GAP <= low or high + _GAP <= begin for low, high in boxes[label.row])
    passes = all(not low - 1 < label.at < high + 1 for row in range(label.row) for low, high in boxes[row])
    return free and passes
