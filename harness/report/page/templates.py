"""The Jinja environment of report and index. Every value in a page is escaped, except the style sheet, the script and
the figures, which the report itself makes."""

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.report.plots import palette

if TYPE_CHECKING:
    from jinja2 import Environment


def fill(name: str, **values: Any) -> str:
    """The template ``name`` with ``values``; a missing value is an error."""
    from markupsafe import Markup

    templates = _environment()
    style = Markup(templates.get_template("style.css").render(colours=palette.ALL))  # noqa: S704 - all of it is ours
    return templates.get_template(name).render(style=style, **values)


@cache
def script() -> tuple[str, str]:
    """(the page's script, the Content-Security-Policy source that allows it and no other one)."""
    from markupsafe import Markup

    text = (Path(__file__).parent / "zoom.js").read_text(encoding="utf-8")
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return Markup(text), f"'sha256-{digest}'"  # noqa: S704 - all of it is ours


@cache
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
