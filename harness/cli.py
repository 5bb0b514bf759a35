"""The `harness` program: extensions first, because the help of the commands lists their members, then the commands."""

import os
import sys
from collections.abc import Sequence
from itertools import zip_longest
from typing import NoReturn

from harness.exit_codes import ExitCode
from harness.interruption import take_signals
from harness.model.errors import UsageError, broken_import
from harness.model.registry import load_extensions
from harness.output import protect_output

_ABORTED = 130
"""The exit code of typer after Ctrl-C before a command began."""


def with_live_port(arguments: Sequence[str]) -> list[str]:
    """``--live`` without a port as ``--live 0``: the parser has no option with an optional value."""
    found: list[str] = []
    for argument, following in zip_longest(arguments, arguments[1:]):
        found.append(argument)
        if argument == "--live" and not (following or "").isdecimal():
            found.append("0")
    return found


def main() -> NoReturn:
    try:
        try:
            take_signals()
            _main()
        except KeyboardInterrupt:
            print("harness: interrupted", file=sys.stderr, flush=True)
            sys.exit(ExitCode.INTERRUPTED)
    except SystemExit as ended:
        if ended.code == _ABORTED:
            print("harness: interrupted", file=sys.stderr, flush=True)
            ended.code = ExitCode.INTERRUPTED
        if sys.flags.inspect and isinstance(ended.code, int):
            # With PYTHONINSPECT Python would ask for commands now, and end with its own exit code.
            sys.stdout.flush()
            os._exit(ended.code)
        raise


def _main() -> NoReturn:
    protect_output()
    try:
        os.getcwd()
    except OSError as error:
        # Python itself asks for it wherever a path is relative.
        print(f"harness: the current folder cannot be used ({error.strerror}): change to another", file=sys.stderr)
        sys.exit(ExitCode.USAGE)
    try:
        load_extensions()
        from harness.commands import app

        app(args=with_live_port(sys.argv[1:]))
    except UsageError as error:
        print(f"harness: {error}", file=sys.stderr, flush=True)
        sys.exit(ExitCode.USAGE)
    except Exception as error:
        sentence = broken_import(error)
        if sentence is None:
            raise
        print(f"harness: {sentence}", file=sys.stderr, flush=True)
        sys.exit(ExitCode.ENVIRONMENT)
    sys.exit(ExitCode.PASS)


if __name__ == "__main__":
    main()
