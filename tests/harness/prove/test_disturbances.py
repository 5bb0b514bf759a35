import pytest

from harness.prove.disturbances import From, is_moment

EVENTS = (
    {"event": "phase", "name": "start"},
    {"event": "phase", "name": "measure"},
    {"event": "fault", "fault": 0},
    {"event": "fault-done", "fault": 0},
    {"event": "heal", "fault": 0},
    {"event": "heal-done", "fault": 0},
    {"event": "phase", "name": "drain"},
)


@pytest.mark.parametrize(("moment", "number"), [(From.MEASURE, 1), (From.FAULT, 2), (From.HEALED, 5), (From.DRAIN, 6)])
def test_a_moment_is_one_event_of_a_run(moment: From, number: int) -> None:
    """A disturbance begins and ends at an event that the run writes."""
    assert [index for index, event in enumerate(EVENTS) if is_moment(event, moment)] == [number]
