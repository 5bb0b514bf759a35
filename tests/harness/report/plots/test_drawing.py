from harness.report.plots import palette
from harness.report.plots.drawing import inlined

SVG = """<?xml version="1.0"?><!-- made up --><svg height="1pt" viewBox="0 0 480 300" xmlns="http://www.w3.org/2000/svg">
<metadata>when</metadata><style>* {}</style><defs><path id="m" d="M 1.23456 2.5 "/></defs><use xlink:href="#m"/>
<g style="fill: #ffffff; stroke: %s" clip-path="url(#m)"/></svg>"""


def test_an_inline_figure_has_ids_of_its_own() -> None:
    """Ids and references begin with the figure's name, so that the ids of two figures on a page differ."""
    found = inlined(SVG, "latency", "what")
    assert 'id="latency-m"' in found
    assert '"#latency-m"' in found
    assert "url(#latency-m)" in found


def test_an_inline_figure_follows_the_theme_and_has_no_address() -> None:
    """Colours become variables, and the background is that of the page. No outside address or metadata is left."""
    found = inlined(SVG % palette.BROKER.light, "cpu", 'a "quoted" <summary>')
    assert "stroke: var(--broker)" in found
    assert "fill: none" in found
    assert "http:" not in found
    assert "metadata" not in found
    assert "style>" not in found
    assert found.startswith('<svg role="img" aria-label="a &quot;quoted&quot; &lt;summary&gt;" viewBox="0 0 480 300">')


def test_paths_are_short() -> None:
    """A screen shows no more than two decimals of a point."""
    assert '"M 1.23 2.5"' in inlined(SVG, "cpu", "").replace("  ", " ")
