"""A table as a value: the page, and a test, need nothing else to show it."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from harness.report.text.quantities import UNKNOWN, heading, regrouped, told


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """``status`` is the CSS word of a verdict-like word (``pass``, ``fail``, ``unknown``) or empty; ``lines`` stand
    below the text, smaller; ``link`` is a relative address."""

    text: str
    status: str = ""
    lines: tuple[str, ...] = ()
    numeric: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """``rows`` are as long as ``columns``; the first cell heads its row. ``prose`` tables become cards on a narrow
    screen, others scroll sideways."""

    caption: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    prose: bool = False

    def __post_init__(self) -> None:
        assert all(len(row) == len(self.columns) for row in self.rows), "every row fills every column"


def text(words: object) -> Cell:
    return Cell(text=regrouped(str(words)))


def figures(words: str, status: str = "") -> Cell:
    """A cell of digits: set right-aligned, never wrapped."""
    return Cell(text=words, numeric=True, status=status)


def grid(caption: str, head: str, values: Mapping[str, Any], *, unit: str = "") -> Table | None:
    """One row per object of ``values``, one column per key that any of them has, in order of appearance. None where
    there is nothing to show."""
    members = {str(name): row for name, row in values.items() if isinstance(row, Mapping)}
    keys = list(dict.fromkeys(str(key) for row in members.values() for key in row))
    if not keys:
        return None
    return Table(
        caption=caption,
        columns=(head, *map(heading, keys)),
        rows=tuple(
            (text(name), *(figures(told(row.get(key), key, unit)) for key in keys)) for name, row in members.items()
        ),
    )


def pairs(caption: str, head: str, values: Mapping[str, Any]) -> Table | None:
    """One row per number of ``values``, its key read as a label. None where there is nothing to show."""
    rows = tuple((text(heading(str(key))), figures(told(inner, str(key)))) for key, inner in values.items())
    return Table(caption=caption, columns=(head, "Value"), rows=rows) if rows else None


def settings(caption: str, values: Mapping[str, Any], *, rows_max: int = 200) -> Table | None:
    """Nested ``values`` as one row per leaf, named by its path with the keys as they are, so that they can be searched
    for. None where there is nothing to show."""
    leaves = list(_leaves("", values))
    if not leaves:
        return None
    rows = [(Cell(text=path), Cell(text=words)) for path, words in leaves[:rows_max]]
    if len(leaves) > rows_max:
        rows.append((text("…"), text(f"{len(leaves) - rows_max} more in the file")))
    return Table(caption=caption, columns=("Setting", "Value"), rows=tuple(rows))


def _leaves(path: str, values: Mapping[str, Any]) -> Iterable[tuple[str, str]]:
    for key, inner in values.items():
        name = f"{path} › {key}" if path else str(key)
        if isinstance(inner, Mapping):
            yield from _leaves(name, inner)
        else:
            yield name, told(inner, str(key)) or UNKNOWN
