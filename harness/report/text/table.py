"""A table as a value: it has everything that a page or a test needs."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

from harness.report.text.quantities import UNKNOWN, formatted, heading, regrouped

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_NOT_FIGURES = ("name", "kind")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """``status`` is the CSS word of a verdict-like word (``pass``, ``fail``, ``unknown``) or empty; ``lines`` are shown
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


def text(words: str) -> Cell:
    return Cell(text=regrouped(words))


def figures(words: str, status: str = "") -> Cell:
    """A cell of digits: right-aligned, never wrapped."""
    return Cell(text=words, numeric=True, status=status)


def grid(caption: str, head: str, named: "Sequence[tuple[str, DataclassInstance]]") -> Table | None:
    """One row per (name, measurement), one column per field that any of them has a figure in. None without figures."""
    members = [(name, _figures(member)) for name, member in named]
    keys = list(dict.fromkeys(key for _, row in members for key, value in row.items() if value is not None))
    if not keys:
        return None
    return Table(
        caption=caption,
        columns=(head, *map(heading, keys)),
        rows=tuple((text(name), *(figures(formatted(row.get(key), key)) for key in keys)) for name, row in members),
    )


def pairs(caption: str, member: "DataclassInstance | None") -> Table | None:
    """One row per figure of a measurement, the field's name read as a label. None without figures."""
    found = {} if member is None else _figures(member)
    rows = tuple(
        (text(heading(key)), figures(formatted(value, key))) for key, value in found.items() if value is not None
    )
    return Table(caption=caption, columns=("Figure", "Value"), rows=rows) if rows else None


def _figures(member: "DataclassInstance") -> dict[str, int | float | None]:
    """The fields that hold one number, or None for one that was not measured."""
    found = {field.name: getattr(member, field.name) for field in fields(member) if field.name not in _NOT_FIGURES}
    return {name: value for name, value in found.items() if value is None or isinstance(value, int | float)}


def settings(caption: str, values: Mapping[str, object], *, rows_max: int = 200) -> Table | None:
    """Nested ``values`` as one row per leaf, named by its path with the keys as they are, so that a reader can search
    for them. None without values."""
    leaves = list(_leaves("", values))
    if not leaves:
        return None
    rows = [(Cell(text=path), Cell(text=words)) for path, words in leaves[:rows_max]]
    if len(leaves) > rows_max:
        rows.append((text("…"), text(f"{len(leaves) - rows_max} more in the file")))
    return Table(caption=caption, columns=("Setting", "Value"), rows=tuple(rows))


def _leaves(path: str, values: Mapping[str, object]) -> Iterable[tuple[str, str]]:
    for key, inner in values.items():
        name = f"{path} › {key}" if path else str(key)
        if isinstance(inner, Mapping):
            yield from _leaves(name, inner)
        else:
            yield name, formatted(inner, str(key)) or UNKNOWN
