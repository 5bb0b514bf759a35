"""One measured run at a time on a machine: two runs would disturb each other's figures."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.model.errors import EnvironmentFailure
from harness.model.machine_folder import machine_folder


@contextmanager
def hold_machine(*, forced: bool) -> Iterator[None]:
    """Hold the machine lock for a run. Raises EnvironmentFailure if another run holds it, unless ``forced``. The lock
    is the kernel's and always ends with the process.
    """
    try:
        import fcntl
    except ImportError:  # no such locks on this system: a second run is not noticed
        yield
        return
    descriptor, own = _open_lock(machine_folder() / "harness-machine.lock")
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if not forced:
                holder = os.pread(descriptor, 32, 0).decode("ascii", "replace").strip() or "unknown"
                raise EnvironmentFailure(
                    f"another run is in progress on this machine (process {holder}): two at once would disturb each "
                    "other's figures; wait for it to end, or use --force"
                ) from None
        else:
            if own:
                os.ftruncate(descriptor, 0)
                os.pwrite(descriptor, str(os.getpid()).encode(), 0)
        yield
    finally:
        os.close(descriptor)


def _open_lock(path: Path) -> tuple[int, bool]:
    """(descriptor, whether the file is this user's). The file stays; every user can lock it, only its owner writes to
    it.

    Opening an existing file without O_CREAT matters: in a sticky folder the kernel refuses O_CREAT on another user's
    file (fs.protected_regular).
    """
    flags = os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | flags, 0o644)
    except FileExistsError:
        mine = path.lstat().st_uid == os.getuid()
        return os.open(path, (os.O_RDWR if mine else os.O_RDONLY) | flags), mine
    except OSError as error:
        raise EnvironmentFailure(f"the lock of this machine cannot be made: {path}: {error.strerror}") from error
    os.fchmod(descriptor, 0o644)  # whatever the umask: other users must be able to open it
    return descriptor, True
