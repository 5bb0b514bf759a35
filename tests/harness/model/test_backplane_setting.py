import pytest

from harness.model.backplane_setting import BackplaneSetting, chosen, problems, words
from harness.model.errors import UsageError

DECLARED = (
    BackplaneSetting(name="interval_ms", default=50.0, low=1, high=1_000, help="pause"),
    BackplaneSetting(name="depth", default=3, low=1, high=9, help="levels"),
    BackplaneSetting(name="inside", default=False, help="in the transaction"),
    BackplaneSetting(name="mode", default="a", choices=("a", "b"), help="how"),
)


def test_every_setting_has_a_value() -> None:
    """The plan has the given values and the defaults of all other settings, in the order of the declaration."""
    values = chosen(["inside=on", "interval_ms=10"], DECLARED, "x")
    assert values == (("interval_ms", 10.0), ("depth", 3), ("inside", True), ("mode", "a"))
    assert words(values) == "interval_ms=10, depth=3, inside=on, mode=a"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("speed=1", "expected one of interval_ms, depth, inside, mode"),
        ("interval_ms", "expected KEY=VALUE"),
        ("interval_ms=0", "expected a number from 1 to 1000"),
        ("interval_ms=nan", "expected a number from 1 to 1000"),
        ("depth=2.5", "expected a whole number from 1 to 9"),
        ("inside=perhaps", "expected on or off"),
        ("mode=c", "expected one of a, b"),
    ],
)
def test_what_cannot_be_is_refused_with_what_can(text: str, expected: str) -> None:
    """Each message says what was expected. For an unknown name it lists the known names."""
    (problem,) = problems([text], DECLARED, "x")
    assert expected in problem
    with pytest.raises(UsageError):
        chosen([text], DECLARED, "x")


def test_a_setting_is_given_once() -> None:
    """Two values for one setting are an error; the last one does not win."""
    assert "found twice" in problems(["depth=1", "depth=2"], DECLARED, "x")[0]


def test_a_backplane_without_settings_says_so() -> None:
    assert "it has no settings" in problems(["a=1"], (), "memory")[0]
