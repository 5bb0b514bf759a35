"""A key figure at the top of a report."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile:
    """One key figure. ``status`` is ``fail`` or ``pass`` if the figure alone decides, else empty."""

    name: str
    figure: str
    unit: str = ""
    notes: tuple[str, ...] = ()
    status: str = ""
