"""What the text of an option means, and the message if it means nothing."""

from collections.abc import Callable
from pathlib import Path

import typer

from harness.model.component import COMPONENT_KINDS
from harness.model.fault import Target
from harness.model.registry import M, Registry
from harness.model.scenario import Audience


def checked(parse: Callable[[str], object]) -> Callable[[str | None], str | None]:
    """Asks ``parse`` while the option is read, so that its error names the option, and keeps the text."""

    def check(text: str | None) -> str | None:
        if text is not None:
            parse(text)
        return text

    return check


def not_empty(text: str) -> None:
    """An empty value comes from a script whose variable is empty, so it is an error and not the default."""
    if not text.strip():
        raise typer.BadParameter("expected a value, found none; leave the option out if there is none")


def path_of(given: str | Path) -> Path:
    """Without this an empty text would be the current folder. ``given`` is a Path where it is the default."""
    not_empty(str(given))
    return Path(given)


def parse_audience(text: str) -> Audience:
    if text == "all":
        return "all"
    try:
        return int(text)
    except ValueError:
        raise typer.BadParameter(f"expected a number of clients or 'all', found {text!r}") from None


def parse_servers(text: str) -> tuple[int, ...]:
    try:
        return tuple(int(part) for part in text.split(","))
    except ValueError:
        raise typer.BadParameter(f"expected a number, or numbers with commas between them, found {text!r}") from None


def parse_target(text: str) -> Target:
    """A role, or the kind of component that has it."""
    kind = COMPONENT_KINDS.find(text) or next((each for each in COMPONENT_KINDS if text in each.schemes), None)
    try:
        return Target(kind.role if kind is not None else text)
    except ValueError:
        kinds = ", ".join(each.name for each in COMPONENT_KINDS)
        raise typer.BadParameter(f"expected one of {', '.join(Target)} (or {kinds}), found {text!r}") from None


def member_of(registry: Registry[M]) -> Callable[[str], str]:
    """Asks the registry when the option is read: an extension may have added members."""
    return lambda value: one_of(registry.names)(value)


def one_of(known: tuple[str, ...]) -> Callable[[str], str]:
    def check(value: str) -> str:
        if value not in known:
            raise typer.BadParameter(f"expected one of {', '.join(known)}, found {value!r}")
        return value

    return check


def named(text: str) -> tuple[str, ...]:
    """The names in ``text``, which has commas between them."""
    return tuple(name.strip() for name in text.split(",") if name.strip())
