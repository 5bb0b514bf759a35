"""An error in a command becomes a message and an exit code."""

import errno

import pytest
import typer

from harness.command_errors import errors_become_exit_codes
from harness.exit_codes import ExitCode
from harness.model.errors import EnvironmentFailure, HarnessError, SafetyFailure, UsageError, WorkerLost


def left_with(error: BaseException) -> int:
    """The exit code of a command that raised ``error``."""
    with pytest.raises(typer.Exit) as left, errors_become_exit_codes():
        raise error
    return left.value.exit_code


def test_without_an_error_nothing_happens() -> None:
    """The command continues after the block."""
    with errors_become_exit_codes():
        pass


@pytest.mark.parametrize(
    ("error", "code", "lines"),
    [
        (UsageError("--rate 0", "--clients 0"), ExitCode.USAGE, ["harness: --rate 0", "harness: --clients 0"]),
        (EnvironmentFailure("no port"), ExitCode.ENVIRONMENT, ["harness: no port"]),
        (WorkerLost("worker-00"), ExitCode.ENVIRONMENT, ["harness: worker-00"]),
        (SafetyFailure("lost"), ExitCode.ENVIRONMENT, ["harness: lost"]),
        (HarnessError("anything"), ExitCode.ENVIRONMENT, ["harness: anything"]),
        (KeyboardInterrupt(), ExitCode.INTERRUPTED, ["harness: interrupted"]),
    ],
)
def test_what_a_person_can_act_on_is_its_message_alone(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, lines: list[str]
) -> None:
    """Each objection has its own line. There is no traceback, and nothing on standard output."""
    assert left_with(error) == code
    shown = capsys.readouterr()
    assert (shown.out, shown.err.splitlines()) == ("", lines)


@pytest.mark.parametrize("code", [ExitCode.PASS, ExitCode.FAIL, ExitCode.UNKNOWN])
def test_the_code_of_a_verdict_is_left_alone(capsys: pytest.CaptureFixture[str], code: ExitCode) -> None:
    """The exit code of a verdict is not an error."""
    assert left_with(typer.Exit(code)) == code
    assert capsys.readouterr().err == ""


def test_a_package_that_is_missing_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the package and has no traceback."""
    assert left_with(ModuleNotFoundError("No module named 'numpy'", name="numpy")) == ExitCode.ENVIRONMENT
    shown = capsys.readouterr().err
    assert "numpy cannot be imported" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_too_many_open_files_are_no_defect(capsys: pytest.CaptureFixture[str], number: int) -> None:
    """The process or the machine has reached its limit. The user can raise it."""
    assert left_with(OSError(number, "too many")) == ExitCode.ENVIRONMENT
    shown = capsys.readouterr().err
    assert "ulimit" in shown
    assert "Traceback" not in shown


@pytest.mark.parametrize("error", [OSError(errno.EIO, "broken"), ZeroDivisionError("planted")])
def test_a_defect_of_the_harness_is_never_a_failed_verdict(
    capsys: pytest.CaptureFixture[str], error: Exception
) -> None:
    """Python's own exit code would be 1, which means FAIL. The traceback is shown."""
    assert left_with(error) == ExitCode.ENVIRONMENT
    shown = capsys.readouterr().err
    assert "Traceback" in shown
    assert f"bug in the harness itself, not in the system that it measures: {type(error).__name__}" in shown
