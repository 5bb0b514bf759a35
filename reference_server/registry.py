"""A registry: the members of one seam of the server, found by the name that the settings give."""

from typing import Generic, Protocol, TypeVar


class Named(Protocol):
    @property
    def name(self) -> str: ...


M = TypeVar("M", bound=Named)


class UnknownMember(ValueError):
    """No member has this name. The message lists the names that exist."""


class Registry(Generic[M]):
    """``setting`` is the name of the setting that chooses a member; error messages use it."""

    def __init__(self, setting: str, *members: M) -> None:
        self._setting = setting
        self._members: dict[str, M] = {}
        for member in members:
            self.register(member)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(sorted(self._members))

    def register(self, member: M) -> None:
        """Add a member. Raises ValueError if the name is taken."""
        if member.name in self._members:
            raise ValueError(f'{self._setting} "{member.name}" is registered already; choose another name')
        self._members[member.name] = member

    def find(self, name: str) -> M:
        """The member of this name. Raises UnknownMember."""
        member = self._members.get(name)
        if member is None:
            raise UnknownMember(
                f'{self._setting} "{name}" is not implemented; expected one of: {", ".join(self.names)}'
            )
        return member
