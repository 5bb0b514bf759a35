import importlib
from pathlib import Path

import pytest

from harness.model.addresses import read_authorities
from harness.model.errors import UsageError, broken_import


def test_a_usage_error_has_every_objection() -> None:
    error = UsageError("one", "two")
    assert error.objections == ("one", "two")
    assert str(error) == "one\ntwo"


def test_a_broken_import_names_the_package() -> None:
    with pytest.raises(ImportError) as found:
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401
    assert str(broken_import(found.value)).startswith("no_such_package cannot be imported")


@pytest.mark.parametrize("raised", ["ValueError('x')", "FileNotFoundError(2, 'x')", "OverflowError('x')"])
@pytest.mark.parametrize("where", ["raise {}", "def read(): raise {}\nread()"])
def test_whatever_a_package_raises_while_it_is_imported_is_a_broken_import(
    raised: str, where: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NumPy raises a ValueError for a variable that it reads, aiohttp a FileNotFoundError for a file that one names."""
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
