"""`harness compare --against`: the turns, the search path and the refusals, with stand-ins for the runs. The whole
command is tested by `harness compare --against HEAD` on a real cluster."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from harness import builds_console
from harness.exit_codes import ExitCode
from harness.experiment import Outcome
from harness.history.history_file import read_history
from harness.model.plan import Plan
from harness.recording.writer import write_json, write_verdict
from tests.harness.report import verdicts
from tests.harness.results_on_disk import slower
from tests.harness.test_checkout import git, project
from tests.harness.test_commands import command

__all__ = ["project"]


class Cluster:
    """Stands in for real runs. The build ``slow`` needs ``percent`` more CPU."""

    def __init__(self, percent: float, *, slow: str) -> None:
        self.percent, self.slow = percent, slow
        self.runs: list[tuple[str, str]] = []
        self.exit_code = ExitCode.PASS

    def run(self, plan: Plan, *, folder: Path, **_: Any) -> Outcome:
        path = os.environ.get("PYTHONPATH", "")
        self.runs.append((folder.name, path))
        slowed = self.slow == plan.server_module or (self.slow == "revision" and "harness-revision-" in path)
        noise = len(self.runs) % 5 * 0.3
        verdict = slower(verdicts.passed(), noise + (self.percent if slowed else 0))
        write_verdict(folder, verdict)
        write_json(folder / "machine.json", verdicts.MACHINE)
        (folder / "events.jsonl").write_text("\n".join(map(json.dumps, verdicts.EVENTS)) + "\n")
        return Outcome(folder=folder, verdict=verdict, exit_code=self.exit_code, why="")


def compared(tmp_path: Path, *options: str) -> Any:
    return command(
        *("compare", "scenario-a", "--size", "smoke", "--force", "--out", str(tmp_path / "out")),
        *("--only", "servers_cpu_us_per_delivery", *options),
    )


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> Cluster:
    stand_in = Cluster(20.0, slow="json")
    monkeypatch.setattr(builds_console, "run_experiment", stand_in.run)
    return stand_in


def test_both_builds_run_in_every_round_and_are_compared(tmp_path: Path, cluster: Cluster) -> None:
    """There are six rounds. RUN is the slower build, so it is worse. The runs are in the comparison, but not in the
    history."""
    shown = compared(tmp_path, "--against", "module:reference_server", "--revision", "module:json", "--rounds", "6")
    assert shown.exit_code == 1, shown.output
    assert "WORSE" in shown.output
    assert len(cluster.runs) == 12
    for number in range(0, 12, 2):
        assert {name.split("-")[1] for name, _ in cluster.runs[number : number + 2]} == {"base", "run"}
    (folder,) = (tmp_path / "out" / "compare").glob("2*")
    assert len(list((folder / "runs").iterdir())) == 12
    assert read_history(tmp_path / "out").entries == ()


def test_a_revision_is_on_the_search_path_of_its_own_runs_only(tmp_path: Path, cluster: Cluster, project: Path) -> None:
    """BASE is the slower build, so RUN is better and the exit code is 0. Afterwards no file of the revision is left."""
    cluster.slow = "revision"
    (project / "reference_server").mkdir()
    (project / "reference_server" / "__init__.py").write_text("")
    git(project, "add", "-A")
    git(project, "commit", "-qm", "three")
    shown = compared(tmp_path, "--against", "HEAD", "--project", str(project), "--rounds", "6")
    assert shown.exit_code == 0, shown.output
    assert "BETTER" in shown.output
    assert all(("harness-revision-" in path) == name.endswith("base") for name, path in cluster.runs)
    assert not any(Path(path).exists() for name, path in cluster.runs if name.endswith("base"))
    assert "harness-revision-" not in os.environ.get("PYTHONPATH", "")


def test_a_run_that_could_not_be_made_ends_it(tmp_path: Path, cluster: Cluster) -> None:
    """Half a pair cannot be compared. The comparison ends with the exit code of the run, 4."""
    cluster.exit_code = ExitCode.ENVIRONMENT
    shown = compared(tmp_path, "--against", "module:json", "--rounds", "2")
    assert shown.exit_code == 4
    assert len(cluster.runs) == 1


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--against", "module:json", "--size", "fit"), "--no-pilot"),
        (("--against", "module:json", "--servers", "2,4"), "sweep"),
        (("--against", "no-such-revision"), "git revision"),
        (
            ("--against", "module:json", "--environment", "external", "--server", "ws://127.0.0.1:1"),
            "goes with --environment embedded",
        ),
        (("--against", "image:mine:1"), "goes with --environment docker"),
        (("--against", "image:mine", "--environment", "docker"), "NAME:TAG"),
        (("--against", "module:json", "--only", "speed"), "unknown measure"),
    ],
)
def test_what_cannot_be_done_is_refused_before_the_start(
    tmp_path: Path, cluster: Cluster, options: tuple[str, ...], words: str
) -> None:
    """The exit code is 2, and no run was made."""
    shown = compared(tmp_path, *options)
    assert shown.exit_code == 2, shown.output
    assert words in shown.output
    assert cluster.runs == []
