import re
from dataclasses import replace
from functools import cache
from typing import Any

import msgspec
import pytest

from harness.model.finding import Verdict
from harness.report.page.sweep_page import sweep_page
from harness.report.plots.drawing import Drawing
from harness.report.plots.sweep_figures import sweep_drawings
from harness.report.text.matrix_note import NO_MATRIX
from tests.harness.report import sweep_verdicts, verdicts
from tests.harness.report.html import Document
from tests.harness.report.page.test_run_page import A_MATRIX, HOSTILE, NONSENSE

EVENTS = [*verdicts.EVENTS[:1], {"event": "run", "name": "01-weak-2x1", "state": "ended", "took_s": 61.0}]


@cache
def drawn() -> tuple[Drawing, ...]:
    return sweep_drawings(sweep_verdicts.passed())


def render(verdict: Verdict, machine: dict[str, Any] = verdicts.MACHINE, drawings: tuple[Drawing, ...] = ()) -> str:
    return sweep_page(verdict, machine, EVENTS, drawings)


@pytest.mark.parametrize("repeat", [1, 2])
def test_the_page_is_well_formed_and_links_to_its_runs_only(repeat: int) -> None:
    """Every tag closes, and ids are unique. Every address is a part of the page or the report of a run."""
    verdict = sweep_verdicts.passed(repeat)
    document = Document(render(verdict, drawings=drawn()))
    assert document.problems == []
    assert "script" not in document.tags
    links = {a for a in document.addresses if not a.startswith(("#", "data:"))}
    assert verdict.sweep is not None
    assert links == {f"runs/{run.run}/report.html" for run in verdict.sweep.runs}
    assert {a[1:] for a in document.addresses if a.startswith("#")} <= set(document.ids)


def test_the_findings_and_the_growth_are_on_the_page() -> None:
    """The page shows a failure with its reason, the fit with R², and what a single host means for the figures."""
    text = Document(render(sweep_verdicts.passed())).text
    for words in ("grows faster than linearly", "R²", "one-host", "not parallel speed-up", "broker_cpu_us_per_message"):
        assert words in text


@pytest.mark.parametrize(
    "part", ["delivery", "latency", "runs", "fits", "ratios", "scalability_law", "claims", "decisions"]
)
def test_a_part_of_another_shape_leaves_the_rest_standing(part: str) -> None:
    """The reader refuses a verdict of another shape, or the page shows as much of it as possible."""
    document = msgspec.to_builtins(sweep_verdicts.passed())
    for nonsense in (*NONSENSE, [{"curve": "weak"}], [{}], [3]):
        try:
            verdict = msgspec.convert(document | {"sweep": document["sweep"] | {part: nonsense}}, Verdict)
        except msgspec.ValidationError:
            continue
        assert Document(render(verdict)).problems == []


def test_a_sweep_without_measurements_is_named() -> None:
    """The page has a sentence for each missing part."""
    verdict = replace(sweep_verdicts.passed(), sweep=None, findings=())
    assert sweep_drawings(verdict) == ()
    document = Document(render(verdict, {}))
    assert document.problems == []
    for words in ("No run was made.", "No figures of the broker were recorded.", "The machine was not recorded."):
        assert words in document.text


def test_hostile_text_stays_text() -> None:
    """Names in a recording cannot become markup or addresses."""
    sweep = sweep_verdicts.sweep()
    runs = tuple(replace(run, run=HOSTILE) for run in sweep.runs)
    fits = tuple(replace(fit, figure=HOSTILE) for fit in sweep.fits)
    hostile = replace(sweep_verdicts.passed(), sweep=replace(sweep, runs=runs, fits=fits))
    html = render(hostile, {"system": HOSTILE})
    document = Document(html)
    assert document.problems == []
    assert "script" not in document.tags
    assert "img" not in document.tags
    assert not re.search(r'href="[^"#d]', html)


def test_the_decisions_show_the_alternatives_of_the_newest_matrix() -> None:
    """The section shows the matrix's figures and a link to it. If there is no matrix, it names the command that makes
    one."""
    assert NO_MATRIX.sentence in Document(render(sweep_verdicts.passed())).text
    html = sweep_page(sweep_verdicts.passed(), verdicts.MACHINE, EVENTS, (), A_MATRIX)
    assert "of another minute" in Document(html).text
    assert "../m/report.html" in Document(html).addresses
