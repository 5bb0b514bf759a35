"""The Jinja environment of report and index. Every value in a page is escaped, except the style sheet and the
figures, which the report itself makes."""

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
def _environment() -> "Environment":
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    return Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
