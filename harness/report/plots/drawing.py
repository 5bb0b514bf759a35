"""One figure as files and for the page: a standalone SVG, a PNG, and an SVG whose colours follow the page's theme.

matplotlib is used without pyplot and is imported only when something is drawn. Some of its settings exist only in its
global table; they apply while a figure is drawn, and are restored afterwards.
"""

import contextlib
import io
import logging
import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.report.plots import palette

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOVES = "moves"
"""gid of an artist that is drawn along the time axis"""
_PNG_DPI = 144
_PAPER = "#ffffff"
SETTINGS: dict[Any, Any] = {
    "svg.fonttype": "none",  # text stays text: small, searchable, in the page's own font
    "svg.hashsalt": "harness",  # the same figure gives the same file
    "text.parse_math": False,  # names are plain text: a $ is a $
    "font.family": ["DejaVu Sans"],  # the one that comes with matplotlib
    "path.simplify_threshold": 0.3,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """``name`` is the file's name without its ending; ``summary`` describes the figure in words."""

    name: str
    title: str
    group: str
    summary: str
    svg: str
    inline: str
    png: bytes


def moves_with(line: str) -> str:
    """The gid of the curve ``line``: it moves with the time axis, and belongs to a server where it has a server's
    name."""
    return f"{MOVES}:{line}" if re.fullmatch(r"server-\d+", line) else MOVES


def pinned(at_s: float) -> str:
    """The gid of an artist that stands at one moment of the time axis and keeps its shape."""
    return f"at:{at_s:.6g}"


@contextmanager
def own_settings() -> Iterator[None]:
    """Inside, matplotlib has its defaults and `SETTINGS`. MPLBACKEND and a file `matplotlibrc` of the user's, or in the
    current folder, are meant for other figures and can keep matplotlib from being imported."""
    spec = find_spec("matplotlib")
    assert spec is not None
    assert spec.origin is not None
    # It reads its file from the current folder first, and takes the backend from the environment.
    backend = os.environ.pop("MPLBACKEND", None)
    logging.getLogger("matplotlib").setLevel(logging.ERROR)  # without a writable home folder it only has no cache
    try:
        with contextlib.chdir(Path(spec.origin).parent / "mpl-data"):
            import matplotlib as mpl
    finally:
        if backend is not None:
            os.environ["MPLBACKEND"] = backend
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update(SETTINGS)
        yield


def draw(figure: "Figure", *, name: str, title: str, group: str, summary: str, timed: bool = False) -> Drawing:
    """Render ``figure``. To be called under `SETTINGS`, as the figure was made. ``timed``: its x is time, which a
    reader of the page can zoom."""
    vector, raster = io.StringIO(), io.BytesIO()
    figure.savefig(vector, format="svg", facecolor=_PAPER, metadata={"Date": None, "Title": title})
    figure.savefig(raster, format="png", facecolor=_PAPER, dpi=_PNG_DPI, metadata={"Title": title})
    svg = _marked(vector.getvalue())
    return Drawing(
        name=name,
        title=title,
        group=group,
        summary=summary,
        svg=svg,
        inline=inlined(svg, name, f"{title}. {summary}", _axis(figure) if timed else ""),
        png=raster.getvalue(),
    )


def _marked(svg: str) -> str:
    """``svg`` with the gids of `MOVES`, `moves_with` and `pinned` as attributes: several elements share one."""
    svg = re.sub(r'<g id="moves:(server-\d+)"', r'<g class="moves" data-server="\1"', svg)
    svg = svg.replace(f'<g id="{MOVES}"', '<g class="moves"')
    return re.sub(r'<g id="at:([-+.e\d]+)"', r'<g data-at="\1"', svg)


def _axis(figure: "Figure") -> str:
    """Where the time axis is, as attributes: its first and last second; left, right, top, bottom of the axes in
    points."""
    axes = figure.axes[0]
    (begin, end), place = axes.get_xlim(), axes.get_position()
    width, height = figure.get_size_inches() * 72
    frame = (place.x0 * width, place.x1 * width, (1 - place.y1) * height, (1 - place.y0) * height)
    return f' data-span="{begin:.6g} {end:.6g}" data-frame="{" ".join(f"{side:.2f}" for side in frame)}"'


def inlined(svg: str, name: str, summary: str, attributes: str = "") -> str:
    """``svg`` as an element of the page: ids of its own, colours as CSS variables, a description, no outside address.
    ``attributes`` are put on the element.

    Only matplotlib's own output is given to this; it has escaped all text.
    """
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<!--.*?-->|<metadata>.*?</metadata>|<style.*?</style>", "", body, flags=re.DOTALL)
    view = re.search(r'viewBox="([0-9. ]+)"', body)
    assert view is not None, "matplotlib states a viewBox"
    body = body[body.index(">") + 1 :]
    body = re.sub(r'\bid="', f'id="{name}-', body)
    body = re.sub(r'(xlink:href="#|url\(#)', rf"\g<1>{name}-", body)
    body = body.replace(f"fill: {_PAPER}", "fill: none")  # the page has its own paper
    for colour in palette.ALL:
        body = body.replace(colour.light, f"var(--{colour.name})")
    body = re.sub(r' d="[^"]+"', lambda path: re.sub(r"(\.\d{2})\d+|\s+", r"\1 ", path[0]).replace(' "', '"'), body)
    return f'<svg role="img" aria-label="{escape(summary)}" viewBox="{view[1]}"{attributes}>{body}'
