import base64
import hashlib
import re
from dataclasses import MISSING, fields, is_dataclass, replace
from enum import StrEnum
from functools import cache
from typing import Any

import msgspec
import pytest

from harness.model.fault import Target
from harness.model.finding import Verdict
from harness.model.measurements.recovery import Recovery, ServerRecovery
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.measurements.steps import StepLatencies
from harness.report.page.run_page import page
from harness.report.plots.figures import Drawings
from harness.report.plots.figures import drawings as draw_all
from harness.report.text.matrix_note import NO_MATRIX, MatrixNote
from harness.report.text.quantities import THOUSANDS, regrouped
from harness.report.text.table import Table, text
from tests.harness.report import outage_verdicts, verdicts
from tests.harness.report.drawn import NONE, VERDICTS, drawn
from tests.harness.report.html import Document

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> {{ 7*7 }} $x^2$ </style><b>"

A_MATRIX = MatrixNote(
    sentence="A matrix of another minute.",
    link="../m/report.html",
    table=Table(caption="All systems", columns=("System",), rows=((text("A figure"),),)),
)
NONSENSE: list[Any] = [None, 7, "text", [], [None, 1], {}, {"x": None}, {"x": {"y": [1, {"z": True}]}}]
OPTIONAL = [field.name for field in fields(RunMeasurements) if field.default is not MISSING]


def render(
    verdict: Verdict,
    machine: dict[str, Any] | None = None,
    events: list[dict[str, Any]] | None = None,
    drawings: Drawings = NONE,
) -> str:
    events = verdicts.EVENTS if events is None else events
    return page(verdict, verdicts.MACHINE if machine is None else machine, events, drawings)


@cache
def whole(name: str) -> str:
    """The page of a made-up verdict with all its figures."""
    return render(VERDICTS[name](), drawings=drawn(name))


def run_of(verdict: Verdict) -> RunMeasurements:
    assert verdict.run is not None
    return verdict.run


def read(verdict: Verdict, **changes: Any) -> Verdict | None:
    """``verdict`` as it is read from verdict.json after ``changes`` of its run. None if the reader refuses it."""
    document = msgspec.to_builtins(verdict)
    try:
        return msgspec.convert(document | {"run": document["run"] | changes}, Verdict)
    except msgspec.ValidationError:
        return None


@pytest.mark.parametrize("name", VERDICTS)
def test_the_page_is_well_formed_and_needs_nothing_from_outside(name: str) -> None:
    """Every tag closes, ids are unique, and no address leads out of the page. Only the page's own script may run."""
    html = whole(name)
    document = Document(html)
    assert document.problems == []
    assert [a for a in document.addresses if not a.startswith(("#", "data:"))] == []
    references = {a[1:] for a in document.addresses if a.startswith("#")} | set(re.findall(r"url\(#([^)]+)\)", html))
    assert references <= set(document.ids)
    assert "http:" not in html
    assert "https:" not in html
    code = html[html.index("<script>") + len("<script>") : html.index("</script>")]
    digest = base64.b64encode(hashlib.sha256(code.encode()).digest()).decode()
    assert document.tags["script"] == 1
    assert f"default-src 'none'; script-src 'sha256-{digest}'; style-src 'unsafe-inline'; img-src data:" in html


@pytest.mark.parametrize("name", VERDICTS)
def test_every_finding_is_on_the_page(name: str) -> None:
    """The page shows the check, the summary, the confidence and every example of every finding."""
    verdict = VERDICTS[name]()
    text = Document(whole(name)).text
    for finding in verdict.findings:
        for words in (finding.check, regrouped(finding.summary), finding.confidence, *finding.examples):
            assert words in text


def test_the_verdict_comes_first_in_words_and_colour() -> None:
    """The status word, its class and the reason come before the first table."""
    html = render(verdicts.failed())
    top = html[: html.index("<table")]
    assert 'class="verdict fail"' in top
    assert "37 of 1 310 000 expected deliveries never arrived." in top
    assert verdicts.a_large_plan().claim in top


def test_what_was_reduced_stands_before_the_criteria() -> None:
    """A reader then does not mistake a fitted run for the scenario's full size."""
    text = Document(render(verdicts.passed())).text
    assert text.index("Not the scenario’s own size") < text.index("Safety: 5 checks passed")
    assert f"10{THOUSANDS}000 clients per channel" in text


def test_failing_criteria_lead() -> None:
    """FAIL comes first, then UNKNOWN, and passed criteria are folded below. The first plot follows them, before the
    contents."""
    html = render(verdicts.failed(), drawings=drawn("failed"))
    first = html[html.index("What did not pass") : html.index("<nav")]
    assert first.index(">FAIL<") < first.index(">UNKNOWN<") < first.index("<details") < first.index(">PASS<")
    assert first.count("<figure>") == 1
    assert first.index("</details>") < first.index("<figure>")


@pytest.mark.parametrize("part", OPTIONAL)
def test_a_missing_part_leaves_the_rest_standing(part: str) -> None:
    """Each part of the measurements may be missing."""
    default: Any = next(field.default for field in fields(RunMeasurements) if field.name == part)
    for verdict in (verdicts.passed(), outage_verdicts.outage()):
        bare = replace(verdict, run=replace(run_of(verdict), **{part: default}), series={})
        assert Document(render(bare)).problems == []


@pytest.mark.parametrize("part", [field.name for field in fields(RunMeasurements)])
def test_a_part_of_another_shape_leaves_the_rest_standing(part: str) -> None:
    """The reader refuses a verdict of another shape, or the page shows as much of it as possible."""
    for nonsense in NONSENSE:
        if verdict := read(replace(verdicts.passed(), series={}), **{part: nonsense}):
            assert Document(render(verdict, events=[{}, {"event": None, "at_ns": "x"}])).problems == []


def test_what_is_not_known_is_said() -> None:
    """The page has a sentence for each missing part. It names each missing figure with the reason."""
    text = Document(render(verdicts.empty(), machine={}, events=[], drawings=drawn("empty"))).text
    for words in (
        "No latency was measured",
        "no server's trace was collected",
        "No figures per server were recorded",
        "No check of the load generator itself",
        "No events were recorded",
        "The machine was not recorded",
        "Delivery latency over time",
        "not in this recording",
    ):
        assert words in text


def test_all_input_is_text_and_never_markup() -> None:
    """The page shows every string of verdict, plan, machine and events unchanged, as text."""
    verdict, events = _poisoned(verdicts.failed()), _poisoned(verdicts.EVENTS)
    html = render(verdict, {HOSTILE: {HOSTILE: HOSTILE}}, events, draw_all(verdict, events))
    document = Document(html)
    assert document.problems == []
    assert "img" not in document.tags
    assert document.tags["script"] == 1  # the page's own
    assert document.tags["b"] == 6  # the page's own: the claim and five steps
    assert "{{ 7*7 }}" in document.text
    assert "<script>alert(1)</script>" in document.text
    assert html.count("</style>") == 1


def _poisoned(value: Any) -> Any:
    """``value`` with hostile text in every string, including keys of objects and names of components. Words that the
    types restrict stay as they are."""
    if isinstance(value, StrEnum) or value is None:
        return value
    if isinstance(value, str):
        return value + HOSTILE
    if isinstance(value, dict):
        return {key: _poisoned(inner) for key, inner in value.items()} | {HOSTILE: HOSTILE}
    if isinstance(value, tuple | list):
        return type(value)(_poisoned(inner) for inner in value)
    if isinstance(value, Verdict):
        lines = {HOSTILE: (1.0, 2.0), "__proto__": (1.0, None)}
        curve = replace(value.series["latency"], x=(0.0, 1.0), lines=lines, y_label=HOSTILE, x_label=HOSTILE)
        return replace(
            value,
            findings=tuple(_poisoned(finding) for finding in value.findings),
            run=_poisoned(value.run),
            plan=replace(
                value.plan, title=HOSTILE, claim=HOSTILE, scenario=HOSTILE, backplane=HOSTILE, command=("run", HOSTILE)
            ),
            series={"latency": curve, HOSTILE: curve, "../../etc": curve},
        )
    if is_dataclass(value) and not isinstance(value, type):
        return replace(value, **{field.name: _poisoned(getattr(value, field.name)) for field in fields(value)})
    return value


def test_a_pilot_that_no_command_makes_says_so() -> None:
    """The pilot leaves out the faults of its run, and no option does that. The page says so and shows no bare program
    name."""
    verdict = verdicts.passed()
    html = render(replace(verdict, plan=replace(verdict.plan, command=())))
    assert "No command makes this run alone" in html
    assert "<code>harness</code>" not in html


def test_the_command_repeats_the_run_in_a_shell() -> None:
    """The arguments are quoted for a shell."""
    passed = verdicts.passed()
    plan = replace(passed.plan, command=("run", "my scenario.py", "--seed", "7"))
    text = Document(render(replace(passed, plan=plan))).text
    assert "harness run 'my scenario.py' --seed 7" in text


def test_lost_deliveries_are_named_with_their_hop() -> None:
    """The page shows at which hop deliveries were lost."""
    text = Document(render(verdicts.failed())).text
    assert "Where deliveries were lost" in text


def test_a_validity_check_that_did_not_pass_is_explained() -> None:
    """The page explains which findings a late sender still allows."""
    text = Document(render(verdicts.failed())).text
    assert "These validity checks did not pass: send_late" in text
    assert "a FAIL is not decided" in text


def test_tables_have_heads() -> None:
    """Every row and column of every table has a header, for screen readers."""
    html = render(verdicts.passed())
    document = Document(html)
    assert html.count('scope="row"') == html.count("<tr role") - document.tags["table"]
    assert document.tags["caption"] == document.tags["table"]


def test_figures_are_described_in_words() -> None:
    """Each figure has a description for screen readers."""
    html = whole("passed")
    assert html.count('<svg role="img" aria-label="') == html.count("<svg") == html.count("<figcaption>") > 10


def test_the_outage_has_a_section_after_the_criteria() -> None:
    """The section is also in the contents. A run without a fault has neither."""
    html = render(outage_verdicts.outage(), events=outage_verdicts.EVENTS)
    headings = re.findall(r'<h2 id="([a-z]+)">', html)
    assert headings[:3] == ["criteria", "outage", "latency"]
    assert 'href="#outage"' in html
    for words in ("Injected faults and their times", "Posts before, during and after", "Recovery of each server"):
        assert words in html
    assert "#outage" not in render(verdicts.passed())


def test_an_outage_of_which_nothing_was_recorded_is_named() -> None:
    """The page has a sentence for each missing table."""
    bare = replace(outage_verdicts.outage(), run=None, series={})
    text = Document(render(bare, events=[])).text
    for words in ("are not in this recording", "were not distinguished", "No server’s recovery was recorded"):
        assert words in text


@pytest.mark.parametrize("part", ["live_latency", "recovered_latency", *(f.name for f in fields(Recovery))])
def test_an_outage_of_another_shape_leaves_the_rest_standing(part: str) -> None:
    """The reader refuses a verdict of another shape, or the page shows as much of it as possible."""
    outage = replace(outage_verdicts.outage(), series={})
    recovery = msgspec.to_builtins(run_of(outage).recovery)
    for nonsense in NONSENSE:
        changes = {"recovery": recovery | {part: nonsense}} if part in recovery else {part: nonsense}
        if verdict := read(outage, **changes):
            assert Document(render(verdict, events=[])).problems == []


def test_the_narrative_is_text_and_never_markup() -> None:
    """The page shows names and endings of the recording unchanged, as text."""
    outage = outage_verdicts.outage()
    times = outage_verdicts.times(5.0, 10.4, (HOSTILE, HOSTILE), ("broker", HOSTILE))
    fault = replace(outage_verdicts.BROKER, target=Target.SERVER, parts=(HOSTILE,), times=times)
    servers = (ServerRecovery(name=HOSTILE, detected_s=1.0),)
    hostile = outage_verdicts.recovering(outage, faults=(fault,), servers=servers)
    events = [event | {"what": HOSTILE, "seen": {HOSTILE: {HOSTILE: HOSTILE}}} for event in outage_verdicts.EVENTS]
    versions = {"cluster": {"versions": {"path": HOSTILE, "clock": HOSTILE}}}
    plan = replace(outage.plan, recovery=HOSTILE)
    document = Document(render(replace(hostile, plan=plan), machine=versions, events=events))
    assert document.problems == []
    assert "img" not in document.tags
    assert document.tags["script"] == 1
    assert document.text.count("<script>alert(1)</script>") > 5


def test_where_live_deliveries_are_limited_they_lead() -> None:
    """The key figures are the live P99 with its limit, and the number of deliveries that came late from the
    database."""
    html = render(outage_verdicts.outage())
    tiles = re.findall(r"<dt>([^<]+)</dt><dd class=\"figure\">([^<]+)", html[: html.index("<table")])
    names = [name for name, _ in tiles]
    assert names[:3] == ["Deliveries", "P99 live delivery latency", "Recovered deliveries"]
    assert "P99 delivery latency" not in names
    assert dict(tiles)["P99 live delivery latency"].strip() == "14.2"
    assert "Live" in Document(html).text


def test_a_posts_unknown_end_is_explained_where_there_is_one() -> None:
    """The page explains what indeterminate means and how many posts ended so."""
    outage = outage_verdicts.outage()
    assert "ended indeterminate" not in Document(render(outage)).text
    run = run_of(outage)
    measured = replace(run.delivery.measured, indeterminate=3)
    changed = replace(outage, run=replace(run, delivery=replace(run.delivery, measured=measured)))
    assert "3\u00a0posts ended indeterminate" in Document(render(changed)).text


def test_the_plan_lists_faults_and_recovery() -> None:
    """The plan says what is stopped, when, and how the servers recover."""
    text = Document(render(outage_verdicts.outage(recovery="manual"))).text
    assert "stop broker at 50% of the messages, healed when everything is posted" in text
    assert "manual: the servers wait for a request" in text


def test_the_network_path_and_the_clock_are_named() -> None:
    """The page names the measured path. It also names the steps that were not measured because the clocks differ."""
    passed = verdicts.passed()
    steps = StepLatencies(total=run_of(passed).latency, left_out=("fan_out", "push"), clock_bound_ms=0.25)
    two_clocks = replace(passed, run=replace(run_of(passed), steps=steps))
    text = Document(render(two_clocks, machine={"cluster": {"versions": {"path": "container addresses"}}})).text
    assert "measured over container addresses" in text
    assert "Not measured: fan-out, push." in text
    assert "times of the one were not compared with times of the other" in text
    assert "an error of up to 0.25\u00a0ms" in text
    assert "One clock for all processes" not in text
    assert "One clock for all processes" in Document(render(passed)).text


def test_events_are_listed_without_clock_readings() -> None:
    """The page shows how a fault's processes ended, but no nanoseconds of a clock."""
    text = Document(render(outage_verdicts.outage(), events=outage_verdicts.EVENTS)).text
    assert "stop broker; broker ended exit code 0" in text
    assert "17\u202f020\u202f000\u202f000" not in text


def test_the_decisions_show_the_alternatives_of_the_newest_matrix() -> None:
    """The section shows the matrix's figures and a link to it. If there is no matrix, it names the command that makes
    one."""
    assert NO_MATRIX.sentence in Document(whole("passed")).text
    html = page(verdicts.passed(), verdicts.MACHINE, verdicts.EVENTS, NONE, matrix=A_MATRIX)
    assert "of another minute" in Document(html).text
    assert "A figure" in Document(html).text
    assert "../m/report.html" in Document(html).addresses
