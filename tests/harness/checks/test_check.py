"""A check passes only with the parts of the recording that it needs, and a crash affects only that check."""

import pytest

from harness.checks.check import Answer, Check, Need, below_limit
from harness.model.finding import Bias, Finding, Kind, Status


def ask(status: Status, lacking: dict[Need, str], kind: Kind = Kind.SAFETY) -> Finding:
    check: Check[None] = Check(
        name="made-up",
        kind=kind,
        function=lambda case: Answer(status=status, summary="as it is", confidence="sure"),
        needs=(Need.AUDIT, Need.LEDGER),
        bias=Bias.PESSIMISTIC if kind is Kind.VALIDITY else None,
        red_when="",
        what_to_do="",
        planted_bug="",
    )
    found = check.ask(None, lacking)
    assert found is not None
    return found


def test_a_pass_without_a_needed_part_is_unknown() -> None:
    """The summary says what is missing, and there is no confidence."""
    found = ask(Status.PASS, {Need.AUDIT: "the database was not read"})
    assert (found.status, found.confidence) == (Status.UNKNOWN, "")
    assert found.summary == "as it is; not decided: the database was not read"


@pytest.mark.parametrize("status", [Status.FAIL, Status.UNKNOWN])
def test_what_did_not_pass_stays_as_it_is(status: Status) -> None:
    """A FAIL is based on the parts that exist."""
    assert ask(status, {Need.AUDIT: "gone"}).status is status


def test_a_part_that_is_not_needed_may_be_missing() -> None:
    """Other parts have their own checks."""
    assert ask(Status.PASS, {Need.TRACES: "gone"}).status is Status.PASS


def test_what_was_not_measured_may_hide_anything() -> None:
    """The bias of a pessimistic validity check is optimistic if its data are missing."""
    assert ask(Status.PASS, {Need.LEDGER: "gone"}, Kind.VALIDITY).bias is Bias.OPTIMISTIC
    assert below_limit(None, 5.0, "lag", "p99_ms").bias is Bias.OPTIMISTIC
