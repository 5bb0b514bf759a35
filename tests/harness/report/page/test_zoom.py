"""The page's script in a real browser: the time span, the choice of a server, and the first screen."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.model.finding import Series
from harness.report import write_report
from harness.report.page.comparison_page import write_comparison_page
from tests.browser import CHROMIUM, Tab, visit
from tests.harness.report import verdicts
from tests.harness.report.comparisons import a_comparison

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")

AXIS = """[...document.querySelectorAll('#NAME-matplotlib\\\\.axis_1 text')]
  .filter((word) => word.closest('g[style*="none"]') === null).map((word) => word.textContent)"""


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The address of a report with curves of the run and of its servers."""
    folder = tmp_path_factory.mktemp("report")
    whole = verdicts.failed()
    seconds = tuple(float(second) for second in range(-5, 62))
    lines: dict[str, tuple[float | None, ...]] = {f"server-{n}": tuple(float(n) for _ in seconds) for n in range(1, 5)}
    servers = Series(x_label="seconds measured", y_label="cores", x=seconds, lines=lines)
    verdict = replace(whole, series={"latency": whole.series["latency"], "server_cpu": servers})
    return write_report(folder, verdict, verdicts.MACHINE, verdicts.EVENTS).as_uri()


def seen(page: str, look: Callable[[Tab], Awaitable[None]]) -> None:
    """Run ``look`` on the page. The page must show no error, and its security policy must refuse nothing."""

    async def watched(tab: Tab) -> None:
        await tab.sized(1280, 800)
        await look(tab)
        assert tab.said == []

    visit(page, watched)


async def figure(tab: Tab, name: str) -> dict[str, float]:
    """The position of a figure's axes in the window, after scrolling to the figure."""
    found: dict[str, float] = await tab.value(
        f"""(() => {{
          const svg = document.getElementById('{name}-figure_1').closest('svg');
          svg.scrollIntoView({{block: 'center', behavior: 'instant'}});
          const box = svg.getBoundingClientRect(), scale = box.width / svg.viewBox.baseVal.width;
          const [left, right, top, bottom] = svg.dataset.frame.split(' ').map(Number);
          const y = box.top + (top + bottom) / 2 * scale;
          return {{left: box.left + left * scale, right: box.left + right * scale, y}};
        }})()"""
    )
    return found


async def drag(tab: Tab, at: dict[str, float], begin: float, end: float) -> None:
    """Drag the mouse over a figure, from ``begin`` to ``end`` as shares of its axis."""
    first, last = (at["left"] + share * (at["right"] - at["left"]) for share in (begin, end))
    await tab.mouse("mouseMoved", first, at["y"])
    await tab.mouse("mousePressed", first, at["y"])
    await tab.mouse("mouseMoved", (first + last) / 2, at["y"])
    await tab.mouse("mouseMoved", last, at["y"])
    await tab.mouse("mouseReleased", last, at["y"])


async def ticks(tab: Tab, name: str) -> list[str]:
    found: list[str] = await tab.value(AXIS.replace("NAME", name))
    return found[:-1]  # the last word is the axis' own name


async def shown(tab: Tab) -> str:
    """The span that the bar names. It is empty if the whole run is shown."""
    words: str = await tab.value(
        "document.getElementById('zoomed').hidden ? '' : document.querySelector('output').value"
    )
    return words


def test_a_drag_shows_a_span_in_all_figures_and_a_double_click_the_whole(page: str) -> None:
    """The axis runs from −5 s to 61 s. A drag from 0.25 to 0.5 shows 11.5 s to 28 s, in the other figure too."""

    async def look(tab: Tab) -> None:
        paths = "[...document.querySelectorAll('.moves > path')].map((path) => path.getAttribute('d')).join()"
        whole = {name: await ticks(tab, name) for name in ("latency", "server_cpu")}
        drawn = await tab.value(paths)
        await drag(tab, await figure(tab, "latency"), 0.25, 0.5)
        assert await shown(tab) == "11.5 to 28.0 s"
        for name in whole:
            numbers = [float(word) for word in await ticks(tab, name)]
            assert 2 < len(numbers) <= len(whole[name])
            assert min(numbers) >= 11.5
            assert max(numbers) <= 28
        # The peak at 30 s is now outside the axes, on the right.
        assert await tab.value(paths) != drawn
        at = await figure(tab, "latency")
        for clicks in (1, 2):
            await tab.mouse("mousePressed", at["left"] + 50, at["y"], clicks)
            await tab.mouse("mouseReleased", at["left"] + 50, at["y"], clicks)
        assert await shown(tab) == ""
        assert {name: await ticks(tab, name) for name in whole} == whole
        moved = await tab.value(
            "Math.max(...[...document.querySelectorAll('.moves > path')].map((path) => path.getBBox().width))"
        )
        assert moved < 480

    seen(page, look)


def test_the_keyboard_does_the_same(page: str) -> None:
    """A figure can have the focus. + halves the span, an arrow moves it, and Escape shows the whole run."""

    async def look(tab: Tab) -> None:
        await tab.value("document.querySelector('svg[data-span]').focus()")
        await tab.key("+")
        assert await shown(tab) == "11.5 to 44.5 s"
        await tab.key("ArrowRight")
        assert await shown(tab) == "19.8 to 52.8 s"
        await tab.key("-")
        assert await shown(tab) == ""
        await tab.key("+")
        await tab.key("Escape")
        assert await shown(tab) == ""

    seen(page, look)


def test_a_curve_is_where_its_second_is(page: str) -> None:
    """After a zoom every point of the curve is at the place of its second on the axis, within a tenth of a point."""

    async def look(tab: Tab) -> None:
        place = """((second) => {
          const svg = document.getElementById('latency-figure_1').closest('svg');
          const [left, right] = svg.dataset.frame.split(' ').map(Number);
          const xs = svg.querySelectorAll('g.moves:not([id*=patch]) > path[clip-path]');
          const path = [...xs].find((one) => !one.getAttribute('d').includes('z'));
          return path.getAttribute('d').match(/[ML] ([-\\d.]+)/g).map((part) => Number(part.slice(2)));
        })()"""
        before = await tab.value(place)
        await drag(tab, await figure(tab, "latency"), 0.25, 0.5)
        after = await tab.value(place)
        frame = (50.0, 468.0)
        width = frame[1] - frame[0]
        seconds = [-5 + (x - frame[0]) / width * 66 for x in before]
        expected = [frame[0] + (second - 11.5) / 16.5 * width for second in seconds]
        assert max(abs(x - want) for x, want in zip(after, expected, strict=True)) < 0.1

    seen(page, look)


def test_one_server_alone_is_shown_in_figures_and_tables(page: str) -> None:
    """The choice hides the curves and rows of the other servers. They come back when all servers are chosen."""

    async def look(tab: Tab) -> None:
        state = """[[...document.querySelectorAll('[data-server]')].filter((line) => line.getBoundingClientRect().width > 0)
          .map((line) => line.dataset.server),
          [...document.querySelectorAll('tbody tr')].filter((row) => row.getBoundingClientRect().height > 0)
          .map((row) => row.cells[0].textContent.trim()).filter((name) => name.startsWith('server-'))]"""
        every = [f"server-{number}" for number in range(1, 5)]
        assert await tab.value(state) == [every, every]
        for choice, expected in (("server-3", ["server-3"]), ("", every)):
            await tab.value(
                f"""(() => {{ const choice = document.querySelector('#servers-shown select');
                choice.value = {choice!r}; choice.dispatchEvent(new Event('change')); }})()"""
            )
            assert await tab.value(state) == [expected, expected]

    seen(page, look)


def test_without_its_script_the_page_is_whole_and_offers_nothing_that_does_not_work(page: str) -> None:
    """The figures are drawn, and the controls stay hidden."""

    async def look(tab: Tab) -> None:
        await tab.ask("Emulation.setScriptExecutionDisabled", value=True)
        await tab.ask("Page.reload")
        await asyncio.sleep(0.5)
        root = await tab.ask("DOM.getDocument", depth=0)
        state: dict[str, Any] = {}
        for name in ("#zoomed", "#zoom-help", "#servers-shown", "#latency-figure_1"):
            node = await tab.ask("DOM.querySelector", nodeId=root["root"]["nodeId"], selector=name)
            box = await tab.ask("DOM.getOuterHTML", nodeId=node["nodeId"])
            state[name] = " hidden" in box["outerHTML"].split(">")[0]
        assert state == {"#zoomed": True, "#zoom-help": True, "#servers-shown": True, "#latency-figure_1": False}

    seen(page, look)


def test_the_page_of_a_comparison_zooms_its_curves_over_time(tmp_path: Path) -> None:
    """Every figure over time of both points shows the span that is dragged over one of them; a distribution stays."""
    curves = {point: ([verdicts.passed()], [verdicts.failed()]) for point in ("2 servers", "4 servers")}
    page = write_comparison_page(tmp_path / "compare", tmp_path, a_comparison(), curves, "harness compare a b").as_uri()

    async def look(tab: Tab) -> None:
        names = [f"point-{number}_latency_p99" for number in (0, 1)]
        whole = {name: await ticks(tab, name) for name in (*names, "point-0_percentiles")}
        await drag(tab, await figure(tab, names[0]), 0.25, 0.5)
        first, last = (float(word) for word in (await shown(tab)).removesuffix(" s").split(" to "))
        assert 0 < first < last < 60
        for name in names:
            assert all(first <= float(word) <= last for word in await ticks(tab, name))
        assert await ticks(tab, "point-0_percentiles") == whole["point-0_percentiles"]
        await tab.value("document.querySelector('#zoomed button').click()")
        assert await shown(tab) == ""
        assert {name: await ticks(tab, name) for name in whole} == whole

    seen(page, look)


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_what_decides_and_the_first_plot_are_on_the_first_screen(page: str, width: int, height: int) -> None:
    """The verdict's sentence and the axes of the first plot are visible without scrolling. Nothing is wider than the
    window."""

    async def look(tab: Tab) -> None:
        await tab.sized(width, height)
        ends = await tab.value(
            """(() => { const svg = document.querySelector('main svg'), box = svg.getBoundingClientRect();
            const axes = box.top + Number(svg.dataset.frame.split(' ')[3]) * box.width / svg.viewBox.baseVal.width;
            return [document.querySelector('.why').getBoundingClientRect().bottom, axes,
                    document.documentElement.scrollWidth]; })()"""
        )
        assert 0 < ends[0] < height
        assert ends[0] < ends[1] < height
        assert ends[2] <= width

    seen(page, look)
