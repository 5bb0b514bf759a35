import re

import pytest

from harness.report.page.templates import fill
from harness.report.plots import palette


def contrast(one: str, other: str) -> float:
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05) of the relative luminances."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def themes() -> list[dict[str, str]]:
    style = fill("index.html", tables=[], total=0, full=False)
    found = [
        dict(re.findall(r"--([a-z0-9-]+): (#[0-9a-f]{6});", block))
        for block in re.findall(r":root \{(.*?)\}", style, re.S)
    ]
    return found[:2]


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_text_can_be_read_in_both_themes(theme: dict[str, str]) -> None:
    """All text has at least the contrast of WCAG AA, 4.5 : 1, on each of its backgrounds."""
    for ink in ("ink", "muted", "accent"):
        for ground in ("paper", "card"):
            assert contrast(theme[ink], theme[ground]) >= 4.5, (ink, ground)
    for tone in ("pass", "fail", "unknown"):
        assert contrast(theme[tone], theme["card"]) >= 4.5, tone
        assert contrast(theme[tone], theme[f"{tone}-well"]) >= 4.5, tone
    for words in ("figure-ink", "figure-muted", "figure-limit"):
        assert contrast(theme[words], theme["card"]) >= 4.5, words
    assert contrast(theme["ink"], theme["unknown-well"]) >= 4.5
    assert contrast(theme["muted"], theme["unknown-well"]) >= 4.5


@pytest.mark.parametrize("theme", themes(), ids=["light", "dark"])
def test_curves_can_be_told_from_their_ground(theme: dict[str, str]) -> None:
    """Every curve has a contrast of at least 3 : 1, the WCAG minimum for graphics."""
    ground = {palette.GRID, palette.SHADE, palette.OUTAGE}
    for colour in palette.ALL:
        if colour not in ground:
            assert contrast(theme[colour.name], theme["card"]) >= 3, colour.name


def test_the_same_thing_has_the_same_colour_everywhere() -> None:
    """A server has the same colour in the CPU plot and in the memory plot. Every colour is one variable."""
    assert palette.colour("cpu", "server-3", 5) == palette.colour("memory", "server-1", 0) == palette.SERVERS
    assert palette.colour("latency", "P99", 0) != palette.colour("completion", "P99", 0)
    assert (
        len({colour.name for colour in palette.ALL})
        == len({colour.light for colour in palette.ALL})
        == len(palette.ALL)
    )
