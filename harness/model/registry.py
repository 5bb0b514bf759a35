"""Registries: the places where the house grows.

A registry holds the members of one seam (backplanes, environments, kinds of component …) in the order in which people
read them. Command line, objections, `doctor`, documentation tests and the code that decides by name read the registry;
they keep no lists of their own.

A member names its implementation by an import path (``package.module:attribute``), so that the registry stays a pure
value and nothing heavy is imported before it is used.

Modules that are named in the variable ``HARNESS_EXTENSIONS`` (names with commas between them) are imported by every
process of the harness at its start. There a user's own package adds its members with `Registry.add`.
"""

import importlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, Generic, Protocol, TypeVar

from harness.model.errors import UsageError

EXTENSIONS_VARIABLE = "HARNESS_EXTENSIONS"


class Named(Protocol):
    @property
    def name(self) -> str: ...


M = TypeVar("M", bound=Named)


class Registry(Generic[M]):
    """Members by name. ``what`` is the noun of a member in an error message."""

    def __init__(self, what: str, members: Iterable[M] = ()) -> None:
        self._what = what
        self._members: dict[str, M] = {}
        for member in members:
            self.add(member)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(self._members)

    @property
    def default(self) -> M:
        """The first member."""
        return next(iter(self))

    def add(self, member: M) -> None:
        """Raises ValueError if another member has the name already."""
        if member.name in self._members:
            raise ValueError(f"{self._what} {member.name!r} is in the registry already")
        self._members[member.name] = member

    @contextmanager
    def added(self, member: M) -> Iterator[M]:
        """``member`` is in the registry inside the block."""
        self.add(member)
        try:
            yield member
        finally:
            del self._members[member.name]

    def get(self, name: str) -> M:
        """Raises UsageError with all known names if there is no such member."""
        if name not in self._members:
            raise UsageError(f"unknown {self._what} {name!r}: expected one of {', '.join(self.names)}")
        return self._members[name]

    def find(self, name: str) -> M | None:
        return self._members.get(name)

    def __iter__(self) -> Iterator[M]:
        return iter(tuple(self._members.values()))

    def __contains__(self, name: object) -> bool:
        return name in self._members


def load(path: str) -> Any:
    """The object at ``package.module:attribute``."""
    module, _, attribute = path.partition(":")
    return getattr(importlib.import_module(module), attribute)


def load_extensions() -> None:
    """Import the modules that HARNESS_EXTENSIONS names. Raises UsageError with the first that cannot be imported."""
    for name in filter(None, (part.strip() for part in os.environ.get(EXTENSIONS_VARIABLE, "").split(","))):
        try:
            importlib.import_module(name)
        except Exception as error:
            raise UsageError(
                f"{EXTENSIONS_VARIABLE}: expected modules that can be imported, found {name!r}: "
                f"{type(error).__name__}: {error}"
            ) from error
