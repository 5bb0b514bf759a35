import re
from dataclasses import replace
from typing import Any

import pytest

from harness.model.finding import Verdict
from harness.report.page.sweep_page import sweep_page
from harness.report.plots.sweep_figures import sweep_drawings
from tests.harness.checks.sweep.test_scaling import judged, quadratic, sweep_of
from tests.harness.report import verdicts
from tests.harness.report.html import Document
from tests.harness.report.page.test_run_page import HOSTILE

EVENTS = [*verdicts.EVENTS[:1], {"event": "run", "name": "01-weak-2x1", "state": "ended", "took_s": 61.0}]


def render(verdict: Verdict, machine: dict[str, Any] = verdicts.MACHINE) -> str:
    return sweep_page(verdict, machine, EVENTS, sweep_drawings(verdict))


@pytest.mark.parametrize("repeat", [1, 2])
def test_the_page_is_well_formed_and_links_to_its_runs_only(repeat: int) -> None:
    """Every tag closes, ids are unique, and every address is a part of the page or the report of a run."""
    sweep = sweep_of(repeat=repeat)
    document = Document(render(judged(sweep)))
    assert document.problems == []
    assert "script" not in document.tags
    links = {a for a in document.addresses if not a.startswith(("#", "data:"))}
    assert links == {f"runs/{member.name}/report.html" for member in sweep.members}
    assert {a[1:] for a in document.addresses if a.startswith("#")} <= set(document.ids)


def test_every_figure_that_the_scenario_asks_for_is_drawn() -> None:
    """Latency on both curves, Redis CPU and bandwidth, CPU per message, efficiency; each with its range in words."""
    drawn = {drawing.name: drawing for drawing in sweep_drawings(judged(sweep_of()))}
    wanted = {"latency_constant", "latency_weak", "broker_cpu", "broker_bandwidth", "system_cpu", "efficiency"}
    assert wanted <= set(drawn)
    assert all(drawing.png.startswith(b"\x89PNG") and "servers" in drawing.summary for drawing in drawn.values())


def test_the_findings_and_the_growth_are_on_the_page() -> None:
    """A failure with its reason, the fit with R², the machine's honesty about one host."""
    text = Document(render(judged(sweep_of(), cpu=quadratic, cores=2))).text
    for words in ("grows faster than linearly", "R²", "one-host", "not parallel speed-up", "broker.cpu_us_per_message"):
        assert words in text


@pytest.mark.parametrize("part", ["sweep", "delivery", "latency_ms", "claims", "decisions"])
@pytest.mark.parametrize(
    "nonsense", [None, 7, "text", [], {}, {"runs": [{"curve": "weak"}]}, {"fits": [{}], "ratios": [3]}]
)
def test_a_part_of_another_shape_leaves_the_rest_standing(part: str, nonsense: Any) -> None:
    """What comes from a file may be anything."""
    verdict = judged(sweep_of())
    broken = replace(verdict, measurements=verdict.measurements | {part: nonsense})
    assert Document(render(broken)).problems == []


def test_hostile_text_stays_text() -> None:
    """Names in a recording cannot become markup, nor addresses."""
    verdict = judged(sweep_of())
    sweep = verdict.measurements["sweep"]
    runs = [row | {"run": HOSTILE, "status": HOSTILE} for row in sweep["runs"]]
    hostile = replace(verdict, measurements=verdict.measurements | {"sweep": sweep | {"runs": runs}})
    html = render(hostile, {"system": HOSTILE})
    document = Document(html)
    assert document.problems == []
    assert "script" not in document.tags
    assert "img" not in document.tags
    assert not re.search(r'href="[^"#d]', html)
