"""The signals that interrupt a command, from its start to its end."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager

_WANTED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


def interrupting_signals() -> tuple[signal.Signals, ...]:
    """SIGINT, SIGTERM and SIGHUP, without those that were ignored when this process began.

    ``nohup`` ignores SIGHUP for the command that it starts, and a shell ignores SIGINT for its background jobs. A
    handler would undo that.
    """
    return tuple(number for number in _WANTED if signal.getsignal(number) is not signal.SIG_IGN)


def take_signals() -> None:
    """Every interrupting signal raises KeyboardInterrupt, as Ctrl-C does. Called once, before anything is started.

    Two settings that a parent process may leave are reset, also for child processes: blocked signals, which would never
    arrive, and an ignored SIGCHLD, with which the kernel keeps no exit codes of children.
    """
    signal.pthread_sigmask(signal.SIG_UNBLOCK, (*_WANTED, signal.SIGCHLD))
    if signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN:
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    for number in interrupting_signals():
        signal.signal(number, signal.default_int_handler)


@contextmanager
def interrupted_by(handle: Callable[[], object]) -> Iterator[None]:
    """Inside the block, in a running loop of asyncio, interrupting signals call ``handle``; behind it, what they called
    before."""
    import asyncio  # imported here, because a command without a loop does not need it

    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in interrupting_signals()}
    for number in before:
        loop.add_signal_handler(number, handle)
    try:
        yield
    finally:
        for number, handler in before.items():
            loop.remove_signal_handler(number)
            signal.signal(number, handler)
