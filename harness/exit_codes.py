"""What a command's exit code tells the program that called it. Part of the product's contract; never renumbered."""

from enum import IntEnum

from harness.model.finding import Status


class ExitCode(IntEnum):
    PASS = 0
    """The verdict is PASS, or the command succeeded."""
    FAIL = 1
    """The verdict is FAIL."""
    USAGE = 2
    """The request cannot be carried out as given; nothing was started."""
    UNKNOWN = 3
    """The evidence does not decide, e.g. the load generator was the bottleneck."""
    ENVIRONMENT = 4
    """The cluster, the machine or the disk did not do its part; the reason is in the message and the logs."""
    INTERRUPTED = 5
    """Stopped by the user; everything torn down, the recording so far kept."""


def of_status(status: Status) -> ExitCode:
    return {Status.PASS: ExitCode.PASS, Status.UNKNOWN: ExitCode.UNKNOWN, Status.FAIL: ExitCode.FAIL}[status]
