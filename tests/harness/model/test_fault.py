import pytest

from harness.model.fault import Fault, FaultKind, FaultTimes, Moment, Target, Unit


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (Moment(unit=Unit.MESSAGE, value=1200), "at message 1,200"),
        (Moment(unit=Unit.SHARE, value=0.5), "at 50% of the messages"),
        (Moment(unit=Unit.SECOND, value=2.5), "at 2.5 s"),
        (Moment(unit=Unit.AFTER, value=10), "10 s later"),
        (Moment(unit=Unit.POSTED), "when everything is posted"),
    ],
)
def test_a_moment_reads_as_a_phrase(moment: Moment, text: str) -> None:
    assert str(moment) == text


def a_fault(kind: FaultKind, *parts: str) -> Fault:
    after = Moment(unit=Unit.AFTER, value=5)
    return Fault(kind=kind, target=Target.SERVERS, at=Moment(unit=Unit.SECOND, value=3), until=after, parts=parts)


def test_a_fault_names_its_parts_where_they_are_few() -> None:
    """A few parts are named, many parts are given by their target. A restart has no healing of its own."""
    assert str(a_fault(FaultKind.STOP, "server-1", "server-2")) == "stop server-1, server-2 at 3 s, healed 5 s later"
    assert str(a_fault(FaultKind.KILL)) == "kill servers at 3 s, healed 5 s later"
    assert str(a_fault(FaultKind.RESTART, *(f"server-{n}" for n in range(1, 9)))) == "restart servers at 3 s"


def test_an_outage_lasts_until_the_parts_answer_again() -> None:
    """The length is None if the parts never answered again."""
    assert FaultTimes(begun_ns=10**9, done_ns=2 * 10**9, heal_ns=5 * 10**9, back_ns=6 * 10**9).outage_s == 5.0
    assert FaultTimes(begun_ns=10**9, done_ns=2 * 10**9).outage_s is None
