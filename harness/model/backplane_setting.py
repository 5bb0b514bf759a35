"""Settings of a backplane: what its registry entry declares, and the values that a run chose."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from harness.model.errors import UsageError

Value = bool | int | float | str
Values = tuple[tuple[str, Value], ...]
"""(name, value), in the order of the declaration"""

_FLAGS = {"on": True, "true": True, "off": False, "false": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class BackplaneSetting:
    """One declared setting. The type of ``default`` is the type of its values; ``low`` and ``high`` bound a number, and
    ``choices`` lists all texts that are allowed (empty: any). ``name`` is the key in the server's settings section."""

    name: str
    default: Value
    help: str
    low: float = -math.inf
    high: float = math.inf
    choices: tuple[str, ...] = ()
    commit_seen_early: bool = False
    """if it is on, it has the effect of `Backplane.commit_seen_early`"""

    def parse(self, text: str) -> Value:
        """The value of ``text``. Raises ValueError with the expected values."""
        if isinstance(self.default, bool):
            if text.lower() not in _FLAGS:
                raise ValueError("expected on or off")
            return _FLAGS[text.lower()]
        if isinstance(self.default, str):
            if self.choices and text not in self.choices:
                raise ValueError(f"expected one of {', '.join(self.choices)}")
            return text
        kind, noun = (int, "a whole number") if isinstance(self.default, int) else (float, "a number")
        expected = f"expected {noun} from {self.low:g} to {self.high:g}"
        try:
            value = kind(text)
        except ValueError:
            raise ValueError(expected) from None
        if not self.low <= value <= self.high:  # NaN as well
            raise ValueError(expected)
        return value

    def __str__(self) -> str:
        return f"{self.name}={in_words(self.default)} ({self.help})"


def in_words(value: Value) -> str:
    """The value as a person writes it on the command line."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return f"{value:g}" if isinstance(value, float) else str(value)


def problems(texts: Iterable[str], declared: Iterable[BackplaneSetting], backplane: str) -> list[str]:
    """One sentence for each ``KEY=VALUE`` that this backplane does not accept."""
    known = {setting.name: setting for setting in declared}
    found, seen = [], set()
    for text in texts:
        name, equals, value = text.partition("=")
        setting = known.get(name)
        if not equals:
            found.append(f"--backplane-setting {text!r}: expected KEY=VALUE")
        elif setting is None:
            exists = f"expected one of {', '.join(known)}" if known else "it has no settings"
            found.append(f"--backplane-setting {name}: --backplane {backplane} does not have it; {exists}")
        elif name in seen:
            found.append(f"--backplane-setting {name}: expected once, found twice")
        else:
            seen.add(name)
            try:
                setting.parse(value)
            except ValueError as error:
                found.append(f"--backplane-setting {text}: {error}, found {value!r}")
    return found


def chosen(texts: Iterable[str], declared: Iterable[BackplaneSetting], backplane: str) -> Values:
    """The value of every declared setting: the requested one, or its default. Raises UsageError."""
    texts, declared = tuple(texts), tuple(declared)
    if found := problems(texts, declared, backplane):
        raise UsageError(*found)
    asked = dict(text.split("=", 1) for text in texts)
    return tuple(
        (setting.name, setting.parse(asked[setting.name]) if setting.name in asked else setting.default)
        for setting in declared
    )


def words(values: Values) -> str:
    """``a=1, b=off``; empty if there are none."""
    return ", ".join(f"{name}={in_words(value)}" for name, value in values)
