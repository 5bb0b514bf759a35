"""All reasons against a run that can be found before the start, on a made-up machine."""

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from unittest import mock

import pytest

from harness import preflight
from harness.model.capacity import Vary
from harness.model.component import COMPONENT_KINDS, DATABASE_KIND
from harness.model.errors import UsageError
from harness.model.scenario import Size
from harness.planning.planner import Planned
from harness.planning.request import Request
from harness.planning.sweep_planner import PlannedSweep
from tests.harness.planning.test_matrix_planner import asked
from tests.harness.planning.test_planner import MACHINE
from tests.harness.planning.test_sweep_planner import planned as planned_sweep
from tests.harness.plans import CALIBRATION, a_plan

SMOKE = Request(size=Size.SMOKE)


@pytest.fixture(autouse=True)
def machine() -> Iterator[None]:
    """A machine with two cores. Nothing is measured."""
    with (
        mock.patch.object(preflight, "read_limits", return_value=MACHINE),
        mock.patch.object(preflight, "calibrate", return_value=CALIBRATION),
        mock.patch.object(preflight, "raise_descriptor_limit"),
        mock.patch.object(preflight, "too_few_descriptors", return_value=[]),
    ):
        yield


def refused(request: Request, out: Path, scenario: str = "scenario-a") -> tuple[str, ...]:
    with pytest.raises(UsageError) as found:
        preflight.prepare(scenario, request, out=out)
    return found.value.objections


def test_a_plan_has_a_name_of_its_own_and_the_command_that_repeats_it(tmp_path: Path) -> None:
    """Two runs against one cluster must not share channels."""
    first, second = (preflight.prepare("scenario-a", SMOKE, out=tmp_path).plan for _ in range(2))
    assert first.run_id != second.run_id
    assert first.command[:2] == ("run", "scenario-a")
    assert replace(first, run_id=second.run_id) == second


def test_every_reason_is_told_at_once(tmp_path: Path) -> None:
    """The rate, the descriptors and the folder are wrong. The refusal has three sentences."""
    blocker = tmp_path / "file"
    blocker.touch()
    with mock.patch.object(preflight, "too_few_descriptors", return_value=["descriptors: too few"]):
        found = refused(Request(rate_hz=-5), blocker)
    assert len(found) == 3
    assert [word in found[n] for n, word in enumerate(("--rate -5", "descriptors", "--out"))] == [True] * 3


def test_a_folder_that_is_there_or_can_be_made_is_writable(tmp_path: Path) -> None:
    """The check leaves nothing in the folder."""
    assert preflight.unwritable(tmp_path) == []
    assert preflight.unwritable(tmp_path / "a" / "b") == []
    assert list(tmp_path.iterdir()) == []


def test_what_is_in_the_way_of_a_folder_is_named(tmp_path: Path) -> None:
    """A file, a file above the folder, or a link to nothing is in the way. A link to a folder is allowed."""
    (tmp_path / "file").touch()
    (tmp_path / "nowhere").symlink_to("missing")
    (tmp_path / "link").symlink_to(".")
    for name, words in (
        ("file", "found a file"),
        ("file/below", "found a file"),
        ("nowhere", "found a link to nothing"),
    ):
        (sentence,) = preflight.unwritable(tmp_path / name)
        assert words in sentence
    assert preflight.unwritable(tmp_path / "link") == []


@pytest.mark.parametrize(("length", "shown"), [(256, 80), (5_000, 80)])
def test_a_name_that_no_folder_can_have_is_cut_short(length: int, shown: int) -> None:
    """The message shows 80 characters of the name."""
    (sentence,) = preflight.unwritable(Path("x" * length))
    assert f"--out {'x' * shown}…: no folder can have this name" in sentence


def test_a_folder_of_another_user_is_refused(tmp_path: Path) -> None:
    """The test replaces the system's answer, because root may write everywhere."""
    with mock.patch.object(os, "access", return_value=False):
        (sentence,) = preflight.unwritable(tmp_path)
    assert "cannot be written by this user" in sentence


def test_a_read_only_file_system_is_found_by_writing(tmp_path: Path) -> None:
    """Permission bits do not show it."""
    with mock.patch.object(Path, "touch", side_effect=OSError(30, "Read-only file system")):
        (sentence,) = preflight.unwritable(tmp_path)
    assert "Read-only file system" in sentence


def test_a_server_module_must_be_there(tmp_path: Path) -> None:
    """A module that cannot be found is refused."""
    (sentence,) = refused(replace(SMOKE, server_module="no_such_server"), tmp_path)
    assert "--server-module no_such_server" in sentence


def test_a_table_needs_the_address_of_its_database(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """This applies only if the harness does not own the database."""
    variable = COMPONENT_KINDS.get(DATABASE_KIND).variable
    external = replace(SMOKE, environment="external", server_urls=("http://10.0.0.5:8000",), messages_table="m")
    monkeypatch.setenv("HARNESS_TOKEN", "t" * 32)
    monkeypatch.delenv(variable, raising=False)
    assert any(f"the variable {variable}" in sentence for sentence in preflight._unusable(external))
    monkeypatch.setenv(variable, "postgresql://here")
    assert not any("--messages-table" in sentence for sentence in preflight._unusable(external))
    missing = replace(external, ca_file=str(tmp_path / "ca.pem"))
    assert any(sentence.startswith("--ca ") for sentence in preflight._unusable(missing))
    assert not any(
        sentence.startswith("--ca ") for sentence in preflight._unusable(replace(missing, environment="moon"))
    )


@pytest.mark.parametrize(
    ("shortfalls", "forced", "refuses"), [((), False, False), (("m",), True, False), (("m",), False, True)]
)
def test_a_misfit_is_refused_unless_it_is_forced(shortfalls: tuple[str, ...], forced: bool, refuses: bool) -> None:
    """The refusal has the calculation, every limit and the option --force. 4 clients × 10 messages/s in audiences of 2
    are 20 deliveries/s."""
    planned = Planned(plan=a_plan(forced=forced), shortfalls=shortfalls)
    sweep = planned_sweep(Request(server_counts=(2, 4), force=forced))
    widest = PlannedSweep(plan=sweep.plan, shortfalls=shortfalls)
    if not refuses:
        preflight.refuse_misfit(planned)
        preflight.refuse_sweep_misfit(widest)
        return
    with pytest.raises(UsageError) as single:
        preflight.refuse_misfit(planned)
    first, limit, way_out = single.value.objections
    assert "= 20 deliveries/s takes 0.1 cores, 1.0 GB of memory and 1,000 descriptors" in first
    assert (limit, "--force" in way_out) == ("m", True)
    with pytest.raises(UsageError) as several:
        preflight.refuse_sweep_misfit(widest)
    assert several.value.objections[1] == "m"


def test_a_sweep_is_asked_for_by_several_counts_or_by_the_scenario() -> None:
    """Scenario C is a sweep. With a single number of servers it is a run."""
    assert preflight.asks_for_sweep("scenario-c", SMOKE)
    assert not preflight.asks_for_sweep("scenario-c", replace(SMOKE, servers=2))
    assert not preflight.asks_for_sweep("scenario-a", SMOKE)
    assert preflight.asks_for_sweep("scenario-a", replace(SMOKE, server_counts=(2, 4)))


def test_the_command_of_a_sweep_names_all_counts_and_that_of_a_member_its_own(tmp_path: Path) -> None:
    """The whole sweep and each of its runs can be repeated."""
    request = Request(size=Size.SMOKE, server_counts=(2, 4), repeat=3)
    sweep = preflight.prepare_sweep("scenario-c", request, out=tmp_path).plan
    whole = sweep.widest.command
    assert whole[whole.index("--servers") + 1] == "2,4"
    assert whole[-2:] == ("--repeat", "3")
    for member in sweep.members:
        command = member.plan.command
        assert command[command.index("--servers") + 1] == str(member.servers)
    assert len({member.plan.run_id for member in sweep.members}) == len(sweep.members)


def test_a_capacity_search_that_cannot_begin_is_refused(tmp_path: Path) -> None:
    """The limit is wrong, or the first step needs more memory than the machine has. With --force the search begins."""
    with pytest.raises(UsageError, match="limit"):
        preflight.prepare_capacity("scenario-a", SMOKE, vary=Vary.RATE, limit_ms=0, out=tmp_path)
    wide = Request(clients=40_000, audience=20, rate_hz=10.0)
    with mock.patch.object(preflight, "read_limits", return_value=replace(MACHINE, memory_available_bytes=10**9)):
        with pytest.raises(UsageError, match="memory: needs"):
            preflight.prepare_capacity("scenario-a", wide, vary=Vary.RATE, limit_ms=100, out=tmp_path)
        forced = replace(wide, force=True)
        plan = preflight.prepare_capacity("scenario-a", forced, vary=Vary.RATE, limit_ms=100, out=tmp_path)
    assert plan.limit_ms == 100


def test_a_matrix_knows_the_code_of_each_backplane(tmp_path: Path) -> None:
    """The lines of code are counted in the reference server. The command repeats the matrix. A folder that cannot be
    written is refused."""
    plan = preflight.prepare_matrix(asked("redis", "memory"), ["scenario-a"], out=tmp_path)
    assert set(plan.adapter_lines) == {"redis", "memory"}
    assert plan.adapter_lines["redis"] > plan.adapter_lines["memory"] > 0
    assert plan.reference.command[0] == "matrix"
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="--out"):
        preflight.prepare_matrix(asked("redis"), ["scenario-a"], out=tmp_path / "file")


def test_lines_of_code_are_without_blank_lines_and_comments(tmp_path: Path) -> None:
    """Two of five lines count. A line with code and a comment counts."""
    (tmp_path / "one.py").write_text("import a\n\n  # why\nb = 1  # what\n   \n")
    (tmp_path / "two.py").write_text("")
    spec = mock.Mock(submodule_search_locations=[str(tmp_path)])
    with mock.patch.object(preflight.importlib.util, "find_spec", return_value=spec):
        assert preflight._lines_of_code(["one.py", "two.py"]) == 2
        assert preflight._lines_of_code([]) == 0
    with mock.patch.object(preflight.importlib.util, "find_spec", return_value=None):
        assert preflight._lines_of_code(["one.py"]) == 0
