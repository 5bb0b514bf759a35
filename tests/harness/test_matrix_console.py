"""The terminal output of a matrix: its plan before the runs, and its table after them."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness import machine_lock, matrix_console, matrix_experiment, preflight
from harness.exit_codes import ExitCode
from harness.experiment import Outcome
from harness.model.measurements.matrix_measurements import Comparison, Operations
from tests.harness.planning.test_matrix_planner import asked, planned
from tests.harness.report.matrix_verdicts import a_matrix, a_system, a_verdict, spread

PLAN = planned(asked("redis", "memory", repeat=2, seed=5))


def starting(word: str) -> list[str]:
    return [line for line in matrix_console.plan_lines(PLAN) if line.startswith(word)]


def test_the_plan_has_a_line_for_each_size_and_not_for_each_cell() -> None:
    """All systems and repetitions of a size share one line."""
    sizes = {(cell.scenario, cell.servers) for cell in PLAN.running}
    assert len(sizes) < len(PLAN.running)
    shown = [line.split()[:2] for line in starting("  scenario")]
    assert shown == [[scenario, str(servers)] for scenario, servers in sorted(sizes)]
    assert starting("systems") == ["systems     redis, memory"]


def test_what_is_left_out_is_told_once_for_each_reason() -> None:
    """The line names every cell with this reason, each repetition only once."""
    reasons = {cell.because for cell in PLAN.cells if cell.plan is None}
    lines = starting("left out")
    assert {line.rpartition(": ")[2] for line in lines} == {reason.rpartition(": ")[2] for reason in reasons}
    assert len(lines) == len(reasons) > 0
    assert starting("left out")[0].count("memory scenario-b") == 1


def test_the_time_is_told_for_all_cells() -> None:
    """The line also gives the number of repetitions and the seed of the order."""
    (line,) = starting("takes")
    assert f"{len(PLAN.running)} cells, 2 × each; seed 5 decides the order" in line
    assert f"({PLAN.predicted_s:,.0f} s)" in line


def test_what_comes_after_a_cell_is_what_is_run_later() -> None:
    """After the last cell the remaining time is 0."""
    last, first = PLAN.running[-1], PLAN.running[0]
    assert matrix_console._after_s(PLAN, last) == 0
    assert matrix_console._after_s(PLAN, first) == pytest.approx(
        sum(cell.predicted_s for cell in PLAN.running) - first.predicted_s
    )


def test_another_verdict_has_no_table() -> None:
    """The output has no heading either."""
    assert list(matrix_console.table_lines(a_verdict(None))) == []


def test_the_fastest_system_comes_first_and_the_unmeasured_last() -> None:
    """This does not depend on the order of the plan."""
    matrix = a_matrix(a_system("none", None), a_system("slow", 81.0), a_system("fast", 61.8))
    _, heading, *rows, last = matrix_console.table_lines(a_verdict(matrix))
    assert heading.split()[0] == "system"
    assert [row.split()[0] for row in rows[:3]] == ["fast", "slow", "none"]
    assert (rows[3].strip(), last) == ("redis is faster than mesh", "")
    close = replace(matrix, order=(Comparison(faster="a", slower="b", separated=False),))
    assert "  a is not separated from b" in list(matrix_console.table_lines(a_verdict(close)))


def cells(**changes: Any) -> list[str]:
    """The cells in the row of one system."""
    _, _, row, *_ = matrix_console.table_lines(a_verdict(a_matrix(a_system(**changes), order=())))
    return [row[26 + 21 * n : 26 + 21 * (n + 1)].strip() for n in range(9)]


def test_a_range_is_shown_only_where_there_is_one() -> None:
    """A single figure has no range. A missing figure is a dash. Zero is a figure."""
    assert cells(p99_ms=60.0)[:4] == ["15.9", "60.0 (59.0 to 61.0)", "–", "–"]
    assert cells(recovery_s=spread(0.0))[6] == "0.0"
    assert cells(p50_ms=spread(15.9, high=16.0))[0] == "15.9 (15.9 to 16.0)"


def test_losses_are_unknown_where_nothing_was_expected() -> None:
    """Both columns of losses are dashes then. Memory is in megabytes, and a dash without a broker."""
    assert cells(lost=2, not_stored=0)[4:6] == ["2", "0"]
    assert cells(lost=0, not_stored=0, expected=0)[4:6] == ["–", "–"]
    assert cells()[7:] == ["–", "3 of 4 pass"]
    assert cells(operations=Operations(processes=1, ports=1, memory_bytes=7_400_000))[7] == "7"


def test_a_plan_is_shown_and_nothing_is_run(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The plan is shown as lines or as one JSON document."""
    monkeypatch.setattr(preflight, "prepare_matrix", lambda *_, **__: PLAN)
    assert matrix_console.plan(asked(), ("scenario-a",), out=tmp_path, as_json=False) is ExitCode.PASS
    assert capsys.readouterr().out.splitlines() == list(matrix_console.plan_lines(PLAN))
    matrix_console.plan(asked(), ("scenario-a",), out=tmp_path, as_json=True)
    assert json.loads(capsys.readouterr().out)["matrix"]["repeat"] == 2


@pytest.mark.parametrize("as_json", [False, True])
def test_a_run_says_its_plan_first_and_its_table_last(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path, as_json: bool
) -> None:
    """The plan is on standard error. The JSON output is the verdict alone."""

    @contextmanager
    def held(*, forced: bool) -> Iterator[None]:
        assert not forced
        yield

    made = Outcome(folder=tmp_path, verdict=a_verdict(a_matrix()), exit_code=ExitCode.PASS, why="")
    monkeypatch.setattr(preflight, "prepare_matrix", lambda *_, **__: PLAN)
    monkeypatch.setattr(machine_lock, "hold_machine", held)
    monkeypatch.setattr(matrix_experiment, "run_matrix", lambda *_, **__: made)
    outcome = matrix_console.run(asked(), ("scenario-a",), out=tmp_path, live=None, as_json=as_json)
    shown = capsys.readouterr()
    assert outcome is made
    assert shown.err.splitlines() == list(matrix_console.plan_lines(PLAN))
    if as_json:
        assert json.loads(shown.out)["status"] == "pass"
    else:
        assert shown.out.startswith("scenario-a, latencies in ms")


def test_a_matrix_without_a_verdict_says_where_it_lies(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """The message and the reason are on standard error."""
    outcome = Outcome(folder=tmp_path, verdict=None, exit_code=ExitCode.ENVIRONMENT, why="no port")
    matrix_console.show_outcome(outcome, as_json=False)
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.splitlines() == ["harness: no port", f"harness: the recording so far is in {tmp_path}"]
