import pytest

from harness.report.text.file_name import plain_name


@pytest.mark.parametrize(
    ("name", "plain"), [("live_latency", True), ("../../etc", False), ("ä", False), ("x" * 41, False), ("", False)]
)
def test_only_a_plain_word_names_a_file(name: str, plain: bool) -> None:
    """Any other name is replaced by the second argument."""
    assert plain_name(name, "other") == (name if plain else "other")
