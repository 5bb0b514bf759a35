"""Short forms for the checks that a bug must turn red."""

from harness.model.finding import Status
from harness.prove.demand import Demand, Ends, SafetyIs, Says

PASS, UNKNOWN, FAIL = (Status.PASS,), (Status.UNKNOWN,), (Status.FAIL,)
NEVER_PASS = (Status.UNKNOWN, Status.FAIL)


def red(*checks: Says, perhaps: tuple[str, ...] = ()) -> tuple[Demand, ...]:
    """These checks are red, and no other safety check is, except those in ``perhaps``."""
    return (*checks, SafetyIs(red=frozenset(says.check for says in checks), perhaps=frozenset(perhaps)))


def each(check: str, number: int | None = 1, key: str = "") -> Says:
    """The check is red and counts ``number`` for each planted event."""
    return Says(check=check, status=FAIL, each=number, key=key)


def doubts(*checks: str) -> tuple[Demand, ...]:
    """The verdict is UNKNOWN, and these checks are."""
    return (Ends(status=UNKNOWN), *(Says(check=check, status=UNKNOWN) for check in checks))


HARMLESS: tuple[Demand, ...] = (
    Says(check="lost", status=PASS),
    Says(check="ledger", status=PASS),
    SafetyIs(red=frozenset()),
)
"""The protocol allows it: no check is red, no delivery is lost."""
