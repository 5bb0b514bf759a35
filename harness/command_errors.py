"""The error of a command, as a message for a person and an exit code for a program."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from harness.exit_codes import ExitCode
from harness.model.errors import HarnessError, UsageError, broken_import, exhausted


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _say_defect(error: Exception) -> None:
    import traceback

    traceback.print_exception(error)
    _say(f"harness: a bug in the harness itself, not in the system that it measures: {type(error).__name__}: {error}")


@contextmanager
def errors_become_exit_codes() -> Iterator[None]:
    """Show an error that a person can act on as its message alone, and end with its exit code."""
    try:
        yield
    except UsageError as error:
        for objection in error.objections:
            _say(f"harness: {objection}")
        raise typer.Exit(ExitCode.USAGE) from None
    except HarnessError as error:
        _say(f"harness: {error}")
        raise typer.Exit(ExitCode.ENVIRONMENT) from None
    except KeyboardInterrupt:
        _say("harness: interrupted")
        raise typer.Exit(ExitCode.INTERRUPTED) from None
    except typer.Exit:
        raise
    except Exception as error:
        # Python's own exit code for this is 1, which here says that a verdict failed.
        if sentence := broken_import(error) or exhausted(error):
            _say(f"harness: {sentence}")
        else:
            _say_defect(error)
        raise typer.Exit(ExitCode.ENVIRONMENT) from None
