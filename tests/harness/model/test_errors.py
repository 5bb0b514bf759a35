import errno
import importlib
from pathlib import Path

import pytest

from harness.model.addresses import read_authorities
from harness.model.errors import UsageError, broken_import, exhausted


def test_a_usage_error_has_every_objection() -> None:
    error = UsageError("one", "two")
    assert error.objections == ("one", "two")
    assert str(error) == "one\ntwo"


def test_a_broken_import_names_the_package() -> None:
    with pytest.raises(ImportError) as found:
        import no_such_package  # noqa: F401 - the import is what fails
    assert str(broken_import(found.value)).startswith("no_such_package cannot be imported")


@pytest.mark.parametrize("raised", ["ValueError('x')", "FileNotFoundError(2, 'x')", "OverflowError('x')"])
@pytest.mark.parametrize("where", ["raise {}", "def read(): raise {}\nread()"])
def test_any_error_during_the_import_of_a_package_is_a_broken_import(
    raised: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NumPy raises a ValueError for a variable that it reads. aiohttp raises a FileNotFoundError for a file that a
    variable names."""
    (tmp_path / "broken_package").mkdir()
    (tmp_path / "broken_package" / "__init__.py").write_text("from broken_package import part\n")
    (tmp_path / "broken_package" / "part.py").write_text(where.format(raised))
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises((ValueError, OSError, OverflowError)) as found:
        importlib.import_module("broken_package")
    name = type(found.value).__name__
    assert str(broken_import(found.value)).startswith(f"broken_package cannot be imported ({name}: ")


def test_an_error_of_our_own_is_no_broken_import() -> None:
    with pytest.raises(UsageError) as found:
        read_authorities("/nowhere")
    assert broken_import(found.value) is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EMFILE, "x"), "too many open files: raise the limit of open files in one process (ulimit -n)"),
        (OSError(errno.ENOSPC, "x", "results/a"), "no space left on device at results/a: free room on that disk"),
        (OSError(errno.EDQUOT, "x", "a"), "free room on that disk"),
        (OSError(errno.EROFS, "x", "a"), "read-only file system at a: choose a folder"),
        (OSError(errno.EFBIG, "x", "a"), "ulimit -f"),
        (BlockingIOError(errno.EAGAIN, "x"), "ulimit -u"),
        (RuntimeError("can't start new thread"), "can't start new thread: raise the limit of processes"),
        (MemoryError(), "out of memory: free memory"),
    ],
)
def test_what_is_used_up_is_named_with_what_to_do(error: Exception, words: str) -> None:
    assert words in str(exhausted(error))


@pytest.mark.parametrize("error", [OSError(errno.ENOENT, "x"), RuntimeError("x"), ValueError("x")])
def test_other_errors_are_not_of_the_machine(error: Exception) -> None:
    assert exhausted(error) is None
