"""Which kernel runs a process, as far as this machine can tell."""

import os
from pathlib import Path

from harness.model.clock import KernelIdentity

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


def kernel_of(pid: int) -> KernelIdentity:
    """The identity of the kernel that runs process ``pid`` of this machine."""
    try:
        # Only a process that this kernel runs has a folder in /proc: its boot is the harness's own.
        boot_id, namespace = BOOT_ID.read_text(encoding="utf-8").strip(), os.readlink(f"/proc/{pid}/ns/time")
    except OSError:
        return KernelIdentity(boot_id=None, time_namespace=None)
    return KernelIdentity(boot_id=boot_id, time_namespace=namespace)
