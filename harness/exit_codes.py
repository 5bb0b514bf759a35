"""The exit codes of the commands. They are part of the product's contract and are never renumbered."""

from enum import IntEnum

from harness.model.finding import Status


class ExitCode(IntEnum):
    PASS = 0
    """The verdict is PASS, or the command succeeded."""
    FAIL = 1
    """The verdict is FAIL."""
    USAGE = 2
    """The request is not possible as given; nothing was started."""
    UNKNOWN = 3
    """The evidence does not decide, e.g. the load generator was the bottleneck."""
    ENVIRONMENT = 4
    """The cluster, the machine or the disk failed; the reason is in the message and the logs."""
    INTERRUPTED = 5
    """Stopped by the user; the harness removed everything it started, and kept the recording so far."""


def of_status(status: Status) -> ExitCode:
    return {Status.PASS: ExitCode.PASS, Status.UNKNOWN: ExitCode.UNKNOWN, Status.FAIL: ExitCode.FAIL}[status]
