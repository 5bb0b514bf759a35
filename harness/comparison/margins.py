"""``--margin``: the size of a change that does not matter."""

from collections.abc import Sequence

from harness.model.errors import UsageError
from harness.model.measure import MEASURES, USUAL_MARGINS, MarginGroup


def margins_of(options: Sequence[str]) -> dict[str, float]:
    """The margin of every measure in percent. Options are ``PERCENT`` for all, ``GROUP=PERCENT`` or
    ``MEASURE=PERCENT``; a narrower one wins, whatever their order. Raises UsageError."""
    everything: float | None = None
    groups: dict[str, float] = {}
    measures: dict[str, float] = {}
    for option in options:
        name, equals, percent = option.rpartition("=")
        value = _percent(option, percent)
        if not equals:
            everything = value
        elif name in MEASURES:
            measures[name] = value
        elif name in list(MarginGroup):
            groups[name] = value
        else:
            known = ", ".join((*MarginGroup, *MEASURES.names))
            raise UsageError(f"--margin: expected one of {known} before '=', found {name!r}")
    found = {}
    for measure in MEASURES:
        usual = USUAL_MARGINS[measure.name] if everything is None else everything
        found[measure.name] = measures.get(measure.name, groups.get(measure.group, usual))
    return found


def _percent(option: str, words: str) -> float:
    try:
        value = float(words.removesuffix("%"))
    except ValueError:
        value = -1.0
    if not 0 < value < 1000:
        raise UsageError(f"--margin: expected a percentage above 0, found {option!r}")
    return value
