import pytest
from jinja2 import UndefinedError
from markupsafe import Markup

from harness.report.page.templates import _environment, fill


def test_every_value_is_escaped() -> None:
    """The name of a server and the text of an error may hold any characters."""
    template = _environment().from_string("<p>{{ value }}</p>")
    assert template.render(value="<script>alert('x')</script>") == (
        "<p>&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;</p>"
    )
    assert template.render(value=Markup("<svg/>")) == "<p><svg/></p>"


def test_a_value_that_is_missing_is_an_error() -> None:
    """A reader would not notice that a figure is missing from a page."""
    with pytest.raises(UndefinedError):
        _environment().from_string("{{ value }}").render()
    with pytest.raises(UndefinedError):
        fill("index.html")
