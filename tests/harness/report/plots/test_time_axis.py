from dataclasses import replace

from harness.model.fault import FaultKind, Target
from harness.report.plots.time_axis import Mark, Shade, event_lines, marks, origin_ns, shades
from tests.harness.report import outage_verdicts


def test_marks_count_from_the_first_measured_message() -> None:
    """The axis begins at the schedule's start plus the warm-up. Faults and casualties are marked as harm."""
    events = [
        {"event": "schedule", "at_ns": 0, "start_ns": 1_000_000_000},
        {"event": "casualty", "at_ns": 9_500_000_000},
        {"event": "phase", "at_ns": 12_000_000_000, "name": "drain"},
        {"event": "ended", "at_ns": 13_000_000_000, "how": "complete"},
    ]
    fault = replace(outage_verdicts.BROKER, times=outage_verdicts.times(3.0, None))
    recovery = replace(outage_verdicts.recovery(), faults=(fault,))
    assert marks(events, 5.0, recovery) == (
        Mark(at_s=3.0, words="stop broker", harm=True),
        Mark(at_s=3.5, words="casualty", harm=True),
        Mark(at_s=6.0, words="drain"),
    )


def test_without_a_schedule_nothing_is_marked() -> None:
    """The zero of the axis is then unknown, so any mark would be a guess."""
    assert marks([{"event": "casualty", "at_ns": 5}], 1.0) == ()


def test_a_run_that_ended_early_is_marked() -> None:
    """The mark shows when the run ended and how."""
    events = [
        {"event": "schedule", "at_ns": 0, "start_ns": 0},
        {"event": "ended", "at_ns": 2_000_000_000, "how": "interrupted"},
    ]
    assert marks(events, 0.0) == (Mark(at_s=2.0, words="interrupted", harm=True),)


def test_shades_run_from_the_fault_until_the_broken_part_was_back() -> None:
    """Each fault has its own shade. If a part never came back, its shade has no end, and a fault that never began has
    no shade."""
    broker = replace(outage_verdicts.BROKER, times=outage_verdicts.times(1.0, 4.0))
    killed = replace(broker, kind=FaultKind.KILL, target=Target.SERVER, parts=("server-2",))
    never_back = replace(killed, times=outage_verdicts.times(2.0, None))
    recovery = replace(outage_verdicts.recovery(), faults=(broker, never_back, outage_verdicts.BROKER))
    assert shades(recovery) == (Shade(begin_s=1.0, end_s=4.0), Shade(begin_s=2.0, end_s=None))
    assert [mark.words for mark in marks([], 0.0, recovery)] == ["stop broker", "kill server-2", "broker back"]
    assert shades(None) == ()


def test_the_phase_gives_the_axis_where_there_is_no_schedule() -> None:
    """The beginning of the measured phase is the second source for the zero of the axis."""
    assert origin_ns([{"event": "phase", "name": "measure", "at_ns": 7}], 5.0) == 7.0
    assert origin_ns([], 5.0) is None


def test_details_of_an_event_hold_no_clock_readings() -> None:
    """The details of a fault say how a process ended. Readings of a clock stay in the file."""
    lines = event_lines(outage_verdicts.EVENTS, 2.0)
    assert ("+5.0 s", "fault-done", "stop broker; broker ended exit code 0") in lines
