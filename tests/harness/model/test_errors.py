import pytest

from harness.model.errors import UsageError, broken_import


def test_a_usage_error_has_every_objection() -> None:
    error = UsageError("one", "two")
    assert error.objections == ("one", "two")
    assert str(error) == "one\ntwo"


def test_a_broken_import_names_the_package() -> None:
    with pytest.raises(ImportError) as found:
        import no_such_package  # type: ignore[import-not-found]  # noqa: F401
    assert broken_import(found.value).startswith("no_such_package cannot be imported")
