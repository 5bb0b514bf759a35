"""One measured run at a time on a machine: two would spoil each other's figures."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model.errors import EnvironmentFailure


@contextmanager
def hold_machine(*, forced: bool) -> Iterator[None]:
    """Hold the machine for a run. Raises EnvironmentFailure where another run holds it, unless ``forced``.

    The lock is the kernel's and ends with the process, however it ends.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system: two runs are not told apart
        yield
        return
    path = Path(tempfile.gettempdir()) / f"harness-{os.getuid()}.lock"
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not forced:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                raise EnvironmentFailure(
                    f"another run is under way on this machine (process {holder}): two at once would spoil each other's "
                    "figures; wait for it to end, or insist with --force"
                ) from None
        else:
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)
