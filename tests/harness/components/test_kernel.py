import os
from pathlib import Path

import pytest

from harness.components import kernel
from harness.components.kernel import kernel_of
from harness.model.clock import same_kernel


@pytest.mark.skipif(not Path("/proc/self/ns/time").is_symlink(), reason="no /proc here")
def test_a_process_of_this_kernel_has_its_identity() -> None:
    """Two processes of this machine have the same identity."""
    mine, parent = kernel_of(os.getpid()), kernel_of(os.getppid())
    assert mine.boot_id
    assert same_kernel(mine, parent)


def test_what_cannot_be_read_is_not_known(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The pid does not exist here, or the system has no boot id. Two unknown kernels never count as the same."""
    unknown = kernel_of(2**22 + 1)
    assert (unknown.boot_id, unknown.time_namespace) == (None, None)
    monkeypatch.setattr(kernel, "BOOT_ID", tmp_path / "none")
    assert not same_kernel(unknown, kernel_of(os.getpid()))
