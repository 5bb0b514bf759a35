"""The table of pilots."""

from harness.model.pilot import LoadNumbers, Pilot, PilotStep, Readings
from harness.report.text.pilot_table import pilot_table
from tests.harness.plans import a_plan

ASKED = LoadNumbers(clients=10_000, rate_hz=1_000, audience=10_000)
STEPS = (
    PilotStep(
        load=LoadNumbers(clients=10_000, rate_hz=1_000, audience=100),
        predicted_cores=1.57,
        readings=Readings(cores=2, busy_cores=1.95, busiest="worker-00", busiest_cores=0.6, lag_p99_ms=31.0),
        shortages=("1.95 of 2 cores were busy",),
    ),
    PilotStep(
        load=LoadNumbers(clients=10_000, rate_hz=1_000, audience=50),
        predicted_cores=1.2,
        readings=Readings(cores=2, busy_cores=1.41, received_share=0.998),
        shortages=(),
    ),
)


def test_each_pilot_has_its_row() -> None:
    """A row has the size, the used and the predicted cores, and what was short. A value that was not measured is a
    dash."""
    pilot = Pilot(free=("audience",), asked=ASKED, everyone=True, steps=STEPS, settled="there was room")
    table = pilot_table(a_plan(pilot=pilot))
    assert table is not None
    assert table.caption.endswith("there was room")
    first, second = table.rows
    assert first[0].lines == ("10\u202f000 clients, audience 100, 1\u202f000 messages/s",)
    assert (first[1].text, first[1].lines) == ("1.95 of 2", ("1.57 predicted",))
    assert first[2].text == "worker-00 0.6"
    assert (first[-1].text, first[-1].lines) == ("no", ("1.95 of 2 cores were busy",))
    assert second[-1].text == "yes"
    assert second[4].text == "–"


def test_a_run_without_pilots_has_no_table() -> None:
    """The run has no pilot, or it ended before the first step."""
    assert pilot_table(a_plan()) is None
    assert pilot_table(a_plan(pilot=Pilot(free=("rate",), asked=ASKED, everyone=False))) is None
