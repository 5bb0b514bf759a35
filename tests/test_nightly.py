"""The gates of the nightly job, with a made-up harness. A run of ci/nightly tests it with the real harness."""

import fcntl
import importlib.machinery
import importlib.util
import json
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def nightly() -> ModuleType:
    """ci/nightly as a module. Its name has no .py, because people call it as a program."""
    loader = importlib.machinery.SourceFileLoader("nightly", str(ROOT / "ci" / "nightly"))
    spec = importlib.util.spec_from_loader("nightly", loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["nightly"] = module  # its dataclass looks up its own module
    loader.exec_module(module)
    return module


class Harness:
    """Ends each command with the given code, by its first arguments. A run also leaves its folder."""

    def __init__(self, results: Path, *, nights: int = 1, **codes: list[int]) -> None:
        self.results = results
        self.codes = codes
        self.nights = nights
        self.called: list[str] = []

    def __call__(self, *arguments: str, limit_s: float | None = None) -> int:
        name = arguments[1] if arguments[0] == "run" and "--size" in arguments else arguments[0]
        self.called.append(name)
        if arguments[0] == "run":
            folder = self.results / arguments[1] / "latest"
            (folder / "arrays").mkdir(parents=True, exist_ok=True)
            for file in ("report.html", "verdict.json", "plan.json", "arrays/posts.npy"):
                (folder / file).write_text(file)
            line = json.dumps({"plan_key": "p", "machine_key": "m"}) + "\n"
            (self.results / "history.jsonl").write_text(line * self.nights)
        codes = self.codes.get(name.replace("-", "_"), [0])
        return codes.pop(0) if len(codes) > 1 else codes[0]


def night(nightly: ModuleType, folder: Path, monkeypatch: pytest.MonkeyPatch, **told: Any) -> tuple[int, Harness, Path]:
    results, artifacts = folder / "results", folder / "artifacts"
    harness = Harness(results, **told)
    monkeypatch.setattr(nightly, "harness", harness)
    monkeypatch.setattr(nightly.subprocess, "run", lambda *_, **__: nightly.subprocess.CompletedProcess((), 0))
    arguments = ["nightly", "--results", str(results), "--artifacts", str(artifacts), "--runs", "2"]
    monkeypatch.setattr("sys.argv", arguments)
    try:
        return nightly.main(), harness, artifacts
    except SystemExit as end:
        return int(str(end.code)), harness, artifacts


def test_a_good_night_leaves_reports_and_no_recording(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All gates run in order. The artifacts are small."""
    code, harness, artifacts = night(nightly, tmp_path, monkeypatch)
    assert code == 0
    assert harness.called == ["scenario-a", "scenario-b", "prove", "run", "run", "trend", "matrix"]
    kept = {path.relative_to(artifacts).as_posix() for path in artifacts.rglob("*") if path.is_file()}
    assert "01-scenario-a/report.html" in kept
    assert not any(path.endswith(".npy") for path in kept)


def test_a_failed_scenario_blocks_and_leaves_its_recording(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """If a service loses messages, its performance does not matter. The proof still runs."""
    code, harness, artifacts = night(nightly, tmp_path, monkeypatch, scenario_b=[1])
    assert code == 1
    assert harness.called == ["scenario-a", "scenario-b", "prove"]
    assert (artifacts / "02-scenario-b" / "arrays" / "posts.npy").is_file()


@pytest.mark.parametrize(("codes", "code", "warned"), [([3, 0], 0, False), ([3, 3], 0, True), ([3, 1], 1, False)])
def test_what_was_not_decided_is_run_once_more(
    nightly: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    codes: list[int],
    code: int,
    warned: bool,
) -> None:
    """A busy runner is no failure of the service. A run that is undecided twice causes a warning."""
    found, _, _ = night(nightly, tmp_path, monkeypatch, scenario_a=list(codes))
    assert found == code
    assert ("was not decided, twice" in capsys.readouterr().err) is warned


def test_a_judge_that_misses_a_planted_bug_blocks(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The other verdicts of such a judge mean nothing."""
    code, harness, _ = night(nightly, tmp_path, monkeypatch, prove=[1])
    assert code == 1
    assert "trend" not in harness.called


@pytest.mark.parametrize(("nights", "code"), [(29, 0), (30, 1)])
def test_a_change_for_the_worse_blocks_once_there_are_thirty_nights(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, nights: int, code: int
) -> None:
    """With fewer nights the spread between nights is not known well enough."""
    found, _, _ = night(nightly, tmp_path, monkeypatch, nights=nights, trend=[1])
    assert found == code


@pytest.mark.parametrize("code", [2, 4, 5])
def test_a_run_that_could_not_be_made_ends_the_night_with_its_code(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """Nothing was judged, so nothing passed."""
    found, harness, _ = night(nightly, tmp_path, monkeypatch, scenario_a=[code])
    assert found == code
    assert harness.called == ["scenario-a"]


def test_two_nights_never_use_one_results_folder_at_once(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second job ends with exit code 4 and runs nothing."""
    (tmp_path / "results").mkdir()
    with (tmp_path / "results" / ".nightly.lock").open("w") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        code, harness, _ = night(nightly, tmp_path, monkeypatch)
    assert code == 4
    assert harness.called == []


@pytest.mark.parametrize(("said", "code", "warned"), [(1, 1, ""), (3, 0, "was not decided"), (5, 0, "was ended after")])
def test_an_alternative_that_fails_blocks(
    nightly: ModuleType,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    said: int,
    code: int,
    warned: str,
) -> None:
    """A matrix that is undecided, or takes too long, causes a warning."""
    found, _, _ = night(nightly, tmp_path, monkeypatch, matrix=[said])
    assert found == code
    told = [line for line in capsys.readouterr().err.splitlines() if "warning: harness matrix" in line]
    assert [warned in line for line in told] == ([True] if warned else [])


def test_a_command_beyond_its_limit_is_interrupted(
    nightly: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The interruption works like Ctrl-C, so the command keeps what it has. Its own exit code counts."""
    program = tmp_path / "harness"
    program.write_text(
        f"#!{sys.executable}\nimport signal, sys\nsignal.signal(signal.SIGINT, lambda *_: sys.exit(5))\n"
        f"open({str(tmp_path / 'ready')!r}, 'w').close()\nsignal.pause()\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(nightly, "HARNESS", program)
    assert nightly.harness("matrix", limit_s=2.0) == 5
    assert (tmp_path / "ready").exists()
