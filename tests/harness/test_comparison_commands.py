"""The calls that the commands over many runs make. Stand-ins replace the called functions."""

from pathlib import Path
from typing import Any

import pytest

from harness import builds_console, compare_console, trend_console
from harness.exit_codes import ExitCode
from harness.history import baselines
from tests.harness.test_commands import command


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    """All calls in order: (name, arguments …)."""
    made: list[tuple[Any, ...]] = []

    def noted(name: str, code: ExitCode | None) -> Any:
        def call(*arguments: Any, **named: Any) -> ExitCode | None:
            made.append((name, *arguments, named))
            return code

        return call

    monkeypatch.setattr(compare_console, "compare_named", noted("compare", ExitCode.UNKNOWN))
    monkeypatch.setattr(builds_console, "compare_builds", noted("builds", ExitCode.FAIL))
    monkeypatch.setattr(trend_console, "rebuild_history", noted("rebuild", None))
    monkeypatch.setattr(trend_console, "accept", noted("accept", None))
    monkeypatch.setattr(trend_console, "show", noted("show", ExitCode.FAIL))
    monkeypatch.setattr(trend_console, "set_baseline", noted("set", None))
    monkeypatch.setattr(trend_console, "list_baselines", noted("list", None))
    monkeypatch.setattr(baselines, "remove_baseline", noted("remove", None))
    return made


def test_base_and_run_may_be_groups(calls: list[tuple[Any, ...]]) -> None:
    """The first run of each group is given without an option. The exit code is that of the comparison."""
    shown = command("compare", "a", "b", "--run", "b2", "--base", "a2", "--base", "a3", "--only", "x", "--margin", "5")
    assert shown.exit_code == ExitCode.UNKNOWN
    ((name, base, run, wishes, _),) = calls
    assert (name, base, run) == ("compare", ["a", "a2", "a3"], ["b", "b2"])
    assert (wishes.only, wishes.margins, wishes.across, wishes.doubtful) == (("x",), ("5",), False, False)


@pytest.mark.parametrize("targets", [("a",), ("a", "b", "c")])
def test_one_name_or_three_are_no_comparison(calls: list[tuple[Any, ...]], targets: tuple[str, ...]) -> None:
    """Further runs need the options --base and --run."""
    shown = command("compare", *targets)
    assert shown.exit_code == ExitCode.USAGE
    assert f"found {len(targets)} arguments" in shown.output
    assert calls == []


def test_against_runs_two_builds_of_one_scenario(calls: list[tuple[Any, ...]]) -> None:
    """The command takes the options of a run, and one name is enough."""
    shown = command("compare", "scenario-a", "--against", "module:old", "--rounds", "3", "--clients", "40")
    assert shown.exit_code == ExitCode.FAIL
    ((name, targets, request, builds, _, _),) = calls
    assert (name, targets, request.clients) == ("builds", ["scenario-a"], 40)
    assert (builds.against, builds.revision, builds.rounds) == ("module:old", None, 3)


def test_a_trend_is_read_again_and_accepted_before_it_is_shown(calls: list[tuple[Any, ...]]) -> None:
    """In this order the shown trend includes the accepted change. Without these options it is only shown."""
    assert command("trend", "--accept", "r", "--reason", "why", "--rebuild", "--out", "o").exit_code == ExitCode.FAIL
    assert [call[0] for call in calls] == ["rebuild", "accept", "show"]
    assert calls[1][1:4] == (Path("o"), Path("r"), "why")
    calls.clear()
    command("trend")
    assert [call[0] for call in calls] == ["show"]


def test_baselines_are_set_listed_and_removed(calls: list[tuple[Any, ...]]) -> None:
    """The commands use the given folder of results."""
    for words in (("set", "n", "a", "b"), ("list",), ("remove", "n")):
        assert command("baseline", *words, "--out", "o").exit_code == ExitCode.PASS
    assert [call[:-1] for call in calls] == [
        ("set", Path("o"), "n", [Path("a"), Path("b")]),
        ("list", Path("o")),
        ("remove", Path("o"), "n"),
    ]
