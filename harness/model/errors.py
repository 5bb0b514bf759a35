"""Errors that a person reads. Each says what was expected, what was found and what to do, in one message."""

import errno
import os
from traceback import walk_tb

OWN_MODULES = ("harness", "reference_server", "planted_server", "scenarios", "__main__")


class HarnessError(Exception):
    """The root: shown as its message, without a traceback."""


class UsageError(HarnessError):
    """The request is not possible as given. ``objections`` lists every reason, not only the first."""

    def __init__(self, *objections: str) -> None:
        super().__init__("\n".join(objections))
        self.objections = objections


class EnvironmentFailure(HarnessError):
    """The cluster, the machine or the disk failed."""


class NeverReady(EnvironmentFailure):
    """A part refuses for a reason that waiting does not change: a password, a missing right, TLS."""


class WorkerLost(HarnessError):
    """A process of the load generator ended during the run: what its clients received after that is not known."""


class SafetyFailure(HarnessError):
    """The service made a delivery that is always wrong, and the run had to end then (``--fail-fast``): the verdict
    decides."""


def broken_import(error: Exception) -> str | None:
    """The sentence for a package that is missing or broken: its name, and what to do. None for any other error.

    A package may raise what it likes while it is imported: NumPy a ValueError for a variable that it reads, aiohttp a
    FileNotFoundError for the file that SSLKEYLOGFILE names.
    """
    if isinstance(error, ImportError):
        name, why = error.name or "a package", str(error)
    elif foreign := _imported(error):
        name, why = foreign, f"{type(error).__name__}: {error}"
    else:
        return None
    return (
        f"{name} cannot be imported ({why}): expected the packages of the harness, all of them; install it again, or "
        "unset the variable that it speaks of"
    )


_ROOM = "free room on that disk, or choose another with --out or TMPDIR"
_FILES = "raise the limit of open files in one process (ulimit -n) and try again"
_MEMORY = "free memory, or raise its limit (ulimit -v)"
_PROCESSES = "raise the limit of processes (ulimit -u, TasksMax=, docker run --pids-limit …)"
_REMEDIES = {
    errno.EMFILE: _FILES,
    errno.ENFILE: _FILES,
    errno.ENOSPC: _ROOM,
    errno.EDQUOT: _ROOM,
    errno.EROFS: "choose a folder that can be written with --out or TMPDIR",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f)",
    errno.EAGAIN: _PROCESSES,
    errno.ENOMEM: _MEMORY,
}


def exhausted(error: Exception) -> str | None:
    """The sentence for an exhausted resource of this machine: its name, and what to do. None for any other error."""
    if isinstance(error, MemoryError):
        return f"out of memory: {_MEMORY}"
    if isinstance(error, RuntimeError) and str(error) == "can't start new thread":
        return f"{error}: {_PROCESSES}"
    if not isinstance(error, OSError) or error.errno not in _REMEDIES:
        return None
    where = f" at {error.filename}" if error.filename else ""
    return f"{os.strerror(error.errno).lower()}{where}: {_REMEDIES[error.errno]}"


def _imported(error: Exception) -> str:
    """The package that was being imported when ``error`` was raised; empty if there was none, or if it is our own."""
    package = ""
    for frame, _ in walk_tb(error.__traceback__):
        if frame.f_code.co_name == "<module>":
            package = str(frame.f_globals.get("__name__", "")).partition(".")[0]
    return "" if package in OWN_MODULES else package
