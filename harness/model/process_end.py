"""How a process ended, in words, and the end of what it said."""

import signal
from pathlib import Path

LOG_LINES = 8
LOG_BYTES = 4_000


def how_it_ended(code: int) -> str:
    """A return code as `subprocess` gives it: negative for a signal."""
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}{_named(-code)}"


def how_container_ended(code: int) -> str:
    """An exit code of a container: beyond 128 it is a signal's number, by convention."""
    return f"exit code {code}{_named(code - 128) if code > 128 else ''}"


def _named(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""


def last_lines(log: Path) -> str:
    """The end of a log under its name, for an error message: a few lines at most. Empty where it has none."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - LOG_BYTES))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    return f"last lines of {log}:\n  " + "\n  ".join(lines) if lines else ""
