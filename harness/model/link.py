"""Connections of a backplane that a fault can break by themselves, while everything at both ends stays alive.

A link's name is the names of its two ends, first that of the end that connects: ``server-2_database``,
``server-2_server-1``.
"""

from dataclasses import dataclass
from itertools import combinations

from harness.model.fault import FaultKind

_BETWEEN = "_"


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakableLink:
    """How the links of one backplane can be broken. ``noun`` names one of them in a sentence.

    ``relayed``: the faults for which the environment puts a relay into the link, a process of its own that is stopped,
    killed or frozen. ``sessions``: the faults for which the database ends the session at its end of the link, which it
    knows by the name ``session_name`` (``{server}`` is the server's name). ``address_settings`` are the keys of host and
    port in the server's section of the backplane that lead a link to the database through a relay; empty where each peer
    has an address of its own.
    """

    noun: str
    relayed: tuple[FaultKind, ...]
    sessions: tuple[FaultKind, ...] = ()
    session_name: str = ""
    address_settings: tuple[str, str] | tuple[()] = ()

    @property
    def faults(self) -> tuple[FaultKind, ...]:
        return tuple(kind for kind in FaultKind if kind in self.relayed or kind in self.sessions)


def star(servers: int, centre: str) -> tuple[str, ...]:
    """The links of every server with ``centre``."""
    return tuple(link_name(f"server-{number}", centre) for number in range(1, servers + 1))


def full_mesh(servers: int) -> tuple[str, ...]:
    """The links of every pair of servers; the server with the higher name connects (docs/backplanes.md)."""
    names = (f"server-{number}" for number in range(1, servers + 1))
    return tuple(link_name(*sorted(pair, reverse=True)) for pair in combinations(names, 2))


def link_name(connects: str, connected: str) -> str:
    return f"{connects}{_BETWEEN}{connected}"


def ends(link: str) -> tuple[str, str]:
    """The names of the two parts that ``link`` connects."""
    one, _, other = link.partition(_BETWEEN)
    return one, other
