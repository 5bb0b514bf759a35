"""Which signals interrupt a command."""

import signal


def interrupting_signals() -> tuple[signal.Signals, ...]:
    """SIGINT, SIGTERM and SIGHUP, without those that were ignored when this process began.

    ``nohup`` ignores SIGHUP for the command that it starts, and a shell ignores SIGINT for its background jobs. A handler
    would undo that.
    """
    wanted = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    return tuple(number for number in wanted if signal.getsignal(number) is not signal.SIG_IGN)
