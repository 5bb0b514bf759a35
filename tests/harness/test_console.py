"""The terminal output: the lines of a plan, the progress, and results on standard output."""

import dataclasses
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from harness import console
from harness.catalog import find
from harness.diagnosis import Advice, Diagnosis
from harness.exit_codes import ExitCode
from harness.experiment import Outcome
from harness.model.pilot import LoadNumbers, Pilot
from harness.model.plan import Plan, Reduction
from harness.model.watch import NextFault, Progress
from harness.planning.planner import Planned
from tests.harness.planning.test_planner import MACHINE
from tests.harness.plans import a_plan
from tests.harness.prove.proofs import RIGHT, WRONG, a_proof
from tests.harness.report import verdicts

SENT = Progress(clients=10, sent=1_000, delivered=19_000, expected=20_000, elapsed_s=30.0)


def heads(plan: Plan) -> list[str]:
    return [line.split(" ")[0] for line in console.plan_lines(plan)]


class Clock:
    """Replaces the module `time`."""

    def __init__(self, now_s: float) -> None:
        self.now_s = now_s

    def monotonic(self) -> float:
        return self.now_s


class Page:
    """A stand-in for the live page, with the one method that a watch calls."""

    def __init__(self) -> None:
        self.shown: list[Path] = []

    def show(self, folder: Path) -> None:
        self.shown.append(folder)


def test_before_the_first_post_only_connections_are_counted() -> None:
    """No message was sent yet, so no delivery is due."""
    progress = Progress(clients=1_000, connected=900, subscribed=12, delivered=7)
    assert console.describe_progress(progress) == "connected 900, subscribed 12 of 1,000"


def test_what_is_zero_or_unknown_is_not_told() -> None:
    """The two parts of this line are always shown."""
    assert console.describe_progress(SENT) == "sent 1,000 · delivered 19,000 of 20,000 due"


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"missing": 3}, "missing now 3"),
        ({"rejected": 2, "indeterminate": 3}, "refused or unanswered 5"),
        ({"p50_ms": 4.4, "p99_ms": 9.6}, "P50 4 P99 10 ms"),
        ({"p50_ms": 4.4, "p99_ms": 9.6, "whole_p99_ms": 0.0}, "P50 4 P99 10 ms (since the start 0)"),
        ({"p50_ms": 4.4}, None),
        ({"late_ms": 0.0, "lag_ms": 0.26}, "sender 0.0 ms late, loops 0.3 ms"),
        ({"late_ms": 1.0}, None),
        ({"generator_cores": 0.0}, "generator 0.00 cores"),
        ({"fault": NextFault(what="stop the broker", in_s=0.4)}, "stop the broker in 0 s"),
        ({"fault": NextFault(what="start it", in_s=None)}, "start it after the last post"),
        ({"remaining_s": 0.0}, "30 s elapsed, 0 s left"),
    ],
)
def test_each_part_stands_where_it_is_known(changes: dict[str, Any], part: str | None) -> None:
    """A figure of zero is known. If one figure of a pair is unknown, the pair is not shown."""
    parts = console.describe_progress(dataclasses.replace(SENT, **changes)).split(" · ")
    assert parts[2:] == ([] if part is None else [part])


def test_the_time_of_what_comes_after_is_added() -> None:
    """This run has 30 s left, and the runs after it take 90 s. Together that is two minutes."""
    words = console.describe_progress(dataclasses.replace(SENT, remaining_s=30.0), 90.0)
    assert words.endswith("30 s elapsed, 30 s left, 2 min in all")


def test_a_plan_says_what_was_reduced_and_what_is_not_the_default() -> None:
    """A default plan has three lines. Each reduction or special option adds one."""
    assert heads(a_plan()) == ["scenario-a", "load", ""]
    cut = Reduction(what="audience", wanted="all", planned="20", because="2 cores")
    size = LoadNumbers(clients=4, rate_hz=10.0, audience=2)
    pilot = Pilot(free=("rate",), asked=size, everyone=False)
    peculiar = a_plan(
        server_urls=("https://a",), backplane_settings=(("interval_ms", 20.0),), reductions=(cut, cut), pilot=pilot
    )
    assert heads(peculiar)[3:] == ["certificate", "backplane", "reduced", "reduced", "pilot"]


def test_a_plan_that_does_not_fit_names_every_limit(capsys: pytest.CaptureFixture[str]) -> None:
    """A plan without shortfalls fits. The JSON document holds both as values."""
    console.show_plan(Planned(plan=a_plan(), shortfalls=("memory: 9", "ports: 8")), as_json=False)
    shown = capsys.readouterr().out
    assert shown.endswith("does not fit this machine:\n  - memory: 9\n  - ports: 8\n")
    console.show_plan(Planned(plan=a_plan(), shortfalls=()), as_json=False)
    assert capsys.readouterr().out.endswith("fits        this machine\n")
    console.show_plan(Planned(plan=a_plan(), shortfalls=("memory: 9",)), as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert (document["fits"], document["shortfalls"], document["plan"]["servers"]) == (False, ["memory: 9"], 2)


def test_json_is_ascii(capsys: pytest.CaptureFixture[str]) -> None:
    """The reader may expect any encoding."""
    console.print_json({"claim": "20–50 ms"})
    shown = capsys.readouterr().out
    assert shown.isascii()
    assert json.loads(shown) == {"claim": "20–50 ms"}


def test_scenarios_are_told_with_their_claims(capsys: pytest.CaptureFixture[str]) -> None:
    """The scenarios are shown as text or as JSON."""
    scenario = find("scenario-a")
    console.show_scenarios([scenario], as_json=False)
    first, claim, load = capsys.readouterr().out.splitlines()
    assert (first, claim.strip()) == (f"scenario-a  {scenario.title}", scenario.claim)
    assert "4 servers, 10,000 clients, 1,000 messages/s for 60 s" in load
    console.show_scenarios([scenario], as_json=True)
    assert [one["name"] for one in json.loads(capsys.readouterr().out)] == ["scenario-a"]


@pytest.mark.parametrize("able", [True, False])
def test_advice_is_given_only_for_what_is_low(capsys: pytest.CaptureFixture[str], able: bool) -> None:
    """The output also says whether the environment can run here."""
    advice = (
        Advice(what="cores", found="2", good=True, advice="buy more"),
        Advice(what="files", found="1,024", good=False, advice="raise ulimit"),
    )
    console.show_diagnosis(Diagnosis(limits=MACHINE, advice=advice, able=able), as_json=False)
    shown = capsys.readouterr().out
    assert "raise ulimit" in shown
    assert "buy more" not in shown
    assert ("cannot run here" in shown) is not able
    console.show_diagnosis(Diagnosis(limits=MACHINE, advice=advice, able=able), as_json=True)
    assert json.loads(capsys.readouterr().out)["able"] is able


def test_a_log_has_a_line_for_each_phase_and_one_every_ten_seconds(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Progress is not logged within ten seconds after a phase began or after the last line of progress."""
    clock = Clock(100.0)
    monkeypatch.setattr(console, "time", clock)
    page = Page()
    with console.watching(Console(file=StringIO()), page=page) as watch:  # type: ignore[arg-type]  # a page's one method
        watch.phase("measure")
        for clock.now_s in (109.9, 110.0, 119.9, 120.5):
            watch.progress(SENT)
        watch.note("the broker is back")
        watch.recording(Path("here"))
    lines = [re.sub(r"\s+", " ", line) for line in capsys.readouterr().err.splitlines()]
    words = console.describe_progress(SENT)
    assert lines == ["[ 0.0 s] measure", f"[ 10.0 s] {words}", f"[ 20.5 s] {words}", "[ 20.5 s] the broker is back"]
    assert page.shown == [Path("here")]


def test_a_terminal_keeps_a_line_of_each_phase_that_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """The line has the duration of the phase. Notes stay too. Without a page the recording is not shown."""
    clock = Clock(100.0)
    monkeypatch.setattr(console, "time", clock)
    screen = StringIO()
    with console.watching(Console(file=screen, force_terminal=True, color_system=None, width=120)) as watch:
        watch.phase("start")
        clock.now_s = 102.5
        watch.phase("connect")
        watch.progress(SENT)
        watch.note("slow")
        watch.recording(Path("here"))
    shown = screen.getvalue()
    assert "✓ start 2.5 s" in shown
    assert "✓ connect" not in shown, "it has not ended"
    assert "  slow" in shown


def test_a_verdict_names_the_report_that_exists(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """If a run has no report, the output does not name one. The JSON output is the verdict alone."""
    console.show_verdict(verdicts.passed(), tmp_path, as_json=False)
    assert "report:" not in capsys.readouterr().out
    (tmp_path / "report.html").touch()
    console.show_verdict(verdicts.passed(), tmp_path, as_json=False)
    assert f"report: {tmp_path}" in capsys.readouterr().out
    console.show_verdict(verdicts.passed(), tmp_path, as_json=True)
    assert json.loads(capsys.readouterr().out)["status"] == "pass"


def test_a_run_without_a_verdict_says_where_its_recording_is(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The message and the reason are on standard error."""
    outcome = Outcome(folder=tmp_path, verdict=None, exit_code=ExitCode.ENVIRONMENT, why="no port")
    console.show_outcome(outcome, as_json=True)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == [
        "harness: no port",
        f"harness: the recording so far is in {tmp_path}",
    ]


def test_a_rebroadcast_is_a_line_for_each_server(capsys: pytest.CaptureFixture[str]) -> None:
    """The JSON output is one document."""
    found = {"http://a": {"messages": 1_000, "channels": 2}, "http://b": {"messages": 0, "channels": 0}}
    console.show_rebroadcast(found, as_json=False)
    first, second = capsys.readouterr().out.splitlines()
    assert first == "http://a: 1,000 messages delivered that were missing, 2 channels looked at"
    assert second.startswith("http://b: 0 messages")
    console.show_rebroadcast(found, as_json=True)
    assert json.loads(capsys.readouterr().out) == found


def test_a_proof_goes_to_standard_output_and_its_rows_to_standard_error(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Standard output then holds nothing but the JSON document."""
    console.show_proof_row(RIGHT)
    shown = capsys.readouterr()
    assert (shown.out, RIGHT.name in shown.err) == ("", True)
    console.show_proof(a_proof(RIGHT, WRONG), tmp_path / "page.html", as_json=False)
    assert f"table: {tmp_path}" in capsys.readouterr().out
    console.show_proof(a_proof(RIGHT, WRONG), tmp_path / "page.html", as_json=True)
    assert len(json.loads(capsys.readouterr().out)["rows"]) == 2
