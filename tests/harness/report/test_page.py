import copy
import re
from dataclasses import fields, replace
from typing import Any

import pytest

from harness.model.finding import Finding, Kind, Status, Verdict
from harness.report.figures import drawings
from harness.report.page import page
from harness.report.quantities import THOUSANDS, regrouped
from tests.harness.report import verdicts
from tests.harness.report.html import Document

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} $x^2$ </style><b>"


def render(verdict: Verdict, machine: dict[str, Any] | None = None, events: list[dict[str, Any]] | None = None) -> str:
    events = verdicts.EVENTS if events is None else events
    return page(verdict, verdicts.MACHINE if machine is None else machine, events, drawings(verdict, events))


@pytest.mark.parametrize("verdict", [verdicts.passed(), verdicts.failed(), verdicts.empty()])
def test_the_page_is_well_formed_and_needs_nothing_from_outside(verdict: Verdict) -> None:
    """Every tag closes, ids are unique, and no address leaves the page."""
    html = render(verdict)
    document = Document(html)
    assert document.problems == []
    assert [a for a in document.addresses if not a.startswith(("#", "data:"))] == []
    references = {a[1:] for a in document.addresses if a.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert references <= set(document.ids)
    assert "http:" not in html
    assert "https:" not in html
    assert "script" not in document.tags
    assert "default-src 'none'; style-src 'unsafe-inline'; img-src data:" in html


@pytest.mark.parametrize("verdict", [verdicts.passed(), verdicts.failed(), verdicts.empty()])
def test_every_finding_is_on_the_page(verdict: Verdict) -> None:
    """Check, summary, confidence and every example of every finding can be read."""
    text = Document(render(verdict)).text
    for finding in verdict.findings:
        for words in (finding.check, regrouped(finding.summary), finding.confidence, *finding.examples):
            assert words in text


def test_the_verdict_comes_first_in_words_and_colour() -> None:
    """The status word, its class and the reason stand before any table."""
    html = render(verdicts.failed())
    top = html[: html.index("<table")]
    assert 'class="verdict fail"' in top
    assert "37 of 1 310 000 expected deliveries never arrived." in top
    assert verdicts.a_large_plan().claim in top


def test_what_was_reduced_is_told_before_the_criteria() -> None:
    """Nobody takes a fitted run for the scenario's own size."""
    text = Document(render(verdicts.passed())).text
    assert text.index("Not the scenario’s own size") < text.index("Every criterion")
    assert f"10{THOUSANDS}000 clients per channel" in text


def test_failing_criteria_lead() -> None:
    """FAIL, then UNKNOWN, then PASS."""
    html = render(verdicts.failed())
    table = html[html.index("Every criterion") :]
    assert table.index(">FAIL<") < table.index(">UNKNOWN<") < table.index(">PASS<")


@pytest.mark.parametrize("part", sorted(verdicts.measurements()))
def test_a_missing_part_leaves_the_rest_standing(part: str) -> None:
    """Each part of the measurements may be absent."""
    whole = verdicts.passed()
    verdict = replace(whole, measurements={k: v for k, v in whole.measurements.items() if k != part}, series={})
    assert Document(render(verdict)).problems == []


@pytest.mark.parametrize("part", sorted(verdicts.measurements()))
@pytest.mark.parametrize("nonsense", [None, 7, "text", [], [None, 1], {}, {"x": None}, {"x": {"y": [1, {"z": True}]}}])
def test_a_part_of_another_shape_leaves_the_rest_standing(part: str, nonsense: Any) -> None:
    """A verdict of another version is shown as far as it is understood."""
    whole = verdicts.passed()
    verdict = replace(whole, measurements=whole.measurements | {part: nonsense}, series={})
    assert Document(render(verdict, events=[{}, {"event": None, "at_ns": "x"}])).problems == []


def test_what_is_not_known_is_said() -> None:
    """An absent part is a sentence, not a gap; every figure that is not there is named with its reason."""
    text = Document(render(verdicts.empty(), machine={}, events=[])).text
    for words in (
        "No latency was measured",
        "no server's trace was collected",
        "No figures per server were recorded",
        "No check has looked at the load generator itself",
        "No events were recorded",
        "The machine was not recorded",
        "Delivery latency over time",
        "not in this recording",
    ):
        assert words in text


def test_all_input_is_text_and_never_markup() -> None:
    """Whatever stands in verdict, plan, machine or events reaches the reader letter by letter and is never interpreted."""
    html = render(
        _poisoned(verdicts.failed()), machine={HOSTILE: {HOSTILE: HOSTILE}}, events=_poisoned(verdicts.EVENTS)
    )
    document = Document(html)
    assert document.problems == []
    assert {"script", "img", "b"} & set(document.tags) <= {"b"}
    assert document.tags["b"] == 6  # the page's own: the claim and five steps
    assert "{{ 7*7 }}" in document.text
    assert "<script>alert(1)</script>" in document.text
    assert html.count("</style>") == 1


def _poisoned(value: Any) -> Any:
    """``value`` with every string in it, keys of objects apart from the contract's included, made hostile."""
    if isinstance(value, Status | Kind) or value is None:
        return value
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, dict):
        return {key: _poisoned(inner) for key, inner in value.items()} | {HOSTILE: HOSTILE}
    if isinstance(value, tuple | list):
        return type(value)(_poisoned(inner) for inner in value)
    if isinstance(value, Verdict):
        poisoned = _poisoned(copy.deepcopy(value.measurements))
        poisoned["servers"] |= {HOSTILE: {HOSTILE: HOSTILE, "p99_ms": 1}}
        lines = {HOSTILE: (1.0, 2.0), "__proto__": (1.0, None)}
        curve = replace(value.series["latency"], x=(0.0, 1.0), lines=lines, y_label=HOSTILE, x_label=HOSTILE)
        return replace(
            value,
            findings=tuple(_poisoned(finding) for finding in value.findings),
            measurements=poisoned,
            plan=replace(
                value.plan, title=HOSTILE, claim=HOSTILE, scenario=HOSTILE, backplane=HOSTILE, command=("run", HOSTILE)
            ),
            series={"latency": curve, HOSTILE: curve, "../../etc": curve},
        )
    if isinstance(value, Finding):
        return replace(value, **{f.name: _poisoned(getattr(value, f.name)) for f in fields(value) if f.name != "bend"})
    return value


def test_the_command_repeats_the_run_in_a_shell() -> None:
    """The arguments are quoted as a shell needs them."""
    whole = verdicts.passed()
    plan = replace(whole.plan, command=("run", "my scenario.py", "--seed", "7"))
    text = Document(render(replace(whole, plan=plan))).text
    assert "harness run 'my scenario.py' --seed 7" in text


def test_lost_deliveries_are_named_with_their_hop() -> None:
    """A loss shows where it happened."""
    text = Document(render(verdicts.failed())).text
    assert "Where deliveries were lost" in text


def test_a_crooked_ruler_is_explained() -> None:
    """The reader learns which findings a late sender leaves standing."""
    text = Document(render(verdicts.failed())).text
    assert "Not straight: send_late" in text
    assert "a FAIL is not decided" in text


def test_tables_have_heads() -> None:
    """Every row and column of every table is headed, for those who hear the page."""
    html = render(verdicts.passed())
    document = Document(html)
    assert html.count('scope="row"') == html.count("<tr role") - document.tags["table"]
    assert document.tags["caption"] == document.tags["table"]


def test_figures_are_described_in_words() -> None:
    """Each figure has a description for those who do not see it."""
    html = render(verdicts.passed())
    assert html.count('<svg role="img" aria-label="') == html.count("<svg") == html.count("<figcaption>") > 10
