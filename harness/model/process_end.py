"""How a process ended, in words."""

import signal


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
