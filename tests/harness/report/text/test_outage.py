from dataclasses import replace

from harness.model.fault import FaultKind, Target
from harness.report.text.outage import Subject, endings, faults, has_outage, injected, subject
from tests.harness.report import outage_verdicts, verdicts

PLAN = outage_verdicts.plan()


def test_faults_of_the_plan_stand_in_for_those_that_were_not_measured() -> None:
    """Measured faults come first, then planned faults without times."""
    outage = outage_verdicts.outage()
    assert [fault.times is None for fault in faults(outage)] == [False]
    assert faults(replace(outage, run=None)) == (outage_verdicts.BROKER,)
    second = replace(outage_verdicts.BROKER, target=Target.DATABASE)
    planned = outage_verdicts.outage(faults=(outage_verdicts.BROKER, second))
    assert [fault.times is None for fault in faults(planned)] == [False, True]


def test_a_run_has_an_outage_where_one_was_planned_or_measured() -> None:
    """A planned or a measured fault is enough."""
    outage = outage_verdicts.outage()
    assert has_outage(replace(outage, run=None))
    assert has_outage(replace(outage, plan=verdicts.a_large_plan()))
    assert not has_outage(verdicts.passed())


def test_subjects_agree_with_their_number() -> None:
    """The words differ for one client and for several. Servers are named if they are few."""

    def of(target: Target, *parts: str) -> Subject:
        return subject(replace(outage_verdicts.BROKER, target=target, parts=parts), PLAN)

    assert of(Target.DATABASE) == Subject(words="PostgreSQL")
    assert of(Target.CLIENTS, "client-1") == Subject(words="1 client")
    assert of(Target.CLIENTS) == Subject(words="Some clients", plural=True)
    assert of(Target.SERVERS) == Subject(words="All servers", plural=True)
    assert of(Target.SERVER, "server-1", "server-2") == Subject(words="server-1 and server-2", plural=True)
    assert of(Target.SERVER) == Subject(words="server")


def test_a_link_is_named_by_its_ends() -> None:
    """The words depend on the backplane."""

    def of(backplane: str, kind: FaultKind, *parts: str) -> str:
        fault = replace(outage_verdicts.BROKER, kind=kind, target=Target.LINK, parts=parts)
        return injected(fault, replace(PLAN, backplane=backplane))

    assert of("mesh", FaultKind.KILL, "server-2_server-1") == "The link between server-2 and server-1 was cut"
    deaf = of("postgres-notify", FaultKind.PAUSE, "server-2_database")
    assert deaf == "The listening connection of server-2 was held open with nothing passing"
    both = of("postgres-notify", FaultKind.KILL, "server-1_database", "server-2_database")
    assert both == "All listening connections were cut"


def test_endings_name_their_part_where_there_are_several() -> None:
    """A part without an ending is left out."""
    times = outage_verdicts.times(1.0, None, ("a", "SIGKILL"), ("b", ""), ("c", "exit code 1"))
    assert endings(replace(outage_verdicts.BROKER, times=times)) == ("a: SIGKILL", "c: exit code 1")
    assert endings(outage_verdicts.BROKER) == ()
    assert injected(outage_verdicts.BROKER, PLAN) == "Redis was stopped"
