"""How a process ended, in words, and the last lines of its log."""

import signal
from pathlib import Path

LOG_LINES = 8


def how_it_ended(code: int) -> str:
    """A return code as `subprocess` gives it: negative for a signal."""
    return f"exit code {code}" if code >= 0 else f"killed by signal {-code}{_named(-code)}"


def last_lines(log: Path) -> str:
    """The end of a log for an error message, bounded."""
    try:
        with log.open("rb") as file:
            file.seek(max(0, log.stat().st_size - 4_000))
            lines = file.read().decode("utf-8", "replace").strip().splitlines()[-LOG_LINES:]
    except OSError:
        lines = []
    if not lines:
        return f"its log {log} is empty"
    return f"last lines of {log}:\n  " + "\n  ".join(lines)


def how_container_ended(code: int) -> str:
    """An exit code of a container: beyond 128 it is a signal's number, by convention."""
    return f"exit code {code}{_named(code - 128) if code > 128 else ''}"


def _named(number: int) -> str:
    try:
        return f" ({signal.Signals(number).name})"
    except ValueError:
        return ""
