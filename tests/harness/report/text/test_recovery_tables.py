from dataclasses import replace

import pytest

from harness.model.finding import Verdict
from harness.model.measurements.recovery import AnswerCount, Reconnections
from harness.report.text.quantities import SPACE
from harness.report.text.recovery_tables import answers, fault_table, post_table, reconnections, server_table
from tests.harness.report import outage_verdicts

RECOVERY = outage_verdicts.recovery()


def test_a_fault_has_its_times_on_the_axis_of_the_figures() -> None:
    """The row has the times of begun, injected, healing began and back, and the length of the outage. The end of the
    process is below."""
    table = fault_table(outage_verdicts.outage())
    assert table is not None
    (row,) = table.rows
    assert row[0].text == "Redis was stopped"
    assert row[0].lines == ("exit code 0",)
    assert [cell.text.replace(SPACE, " ") for cell in row[1:]] == ["5 s", "5.02 s", "10.2 s", "10.4 s", "5.4 s"]


def test_a_fault_that_never_began_has_no_row() -> None:
    """A plan alone is no measurement."""
    outage = outage_verdicts.outage()
    assert fault_table(outage_verdicts.recovering(outage, faults=(outage_verdicts.BROKER,))) is None
    assert fault_table(replace(outage, run=None)) is None


def test_each_server_has_its_recovery() -> None:
    """A moment that was not traced reads as unknown."""
    table = server_table(
        replace(RECOVERY, servers=(RECOVERY.servers[0], replace(RECOVERY.servers[1], detected_s=None)))
    )
    assert table is not None
    assert [row[0].text for row in table.rows] == ["server-1", "server-2"]
    assert table.rows[1][1].text == "–"
    assert server_table(replace(RECOVERY, servers=())) is server_table(None) is None


def test_posts_are_counted_before_during_and_after() -> None:
    """Each span has its counts and the time that its acknowledgements took."""
    table = post_table(RECOVERY)
    assert table is not None
    assert [row[0].text for row in table.rows] == ["Before", "During", "After"]
    assert [cell.text.replace(SPACE, " ") for cell in table.rows[1][1:]] == ["500", "500", "0", "0", "4.2 ms", "7.4 ms"]
    assert post_table(None) is None


def test_answers_begin_with_the_most_frequent() -> None:
    """Posts without an answer are listed as "no answer"."""
    errors = (AnswerCount(http_status=None, posts=3), AnswerCount(http_status=503, posts=120))
    assert answers(replace(RECOVERY, errors=errors)) == "503 (120), no answer (3)"
    assert answers(RECOVERY) == ""


@pytest.mark.parametrize(
    ("found", "sentence"),
    [
        (None, ""),
        (Reconnections(clients=0), "No client lost its connection."),
        (Reconnections(clients=1, last_s=0.5), "1 client lost its connection and was subscribed again 500 ms later."),
        (
            Reconnections(clients=40, p50_s=0.2, p99_s=1.5, last_s=2.0),
            "40 clients lost their connection; half of them were subscribed again within 200 ms, 99 % within 1.5 s, "
            "the last after 2 s.",
        ),
    ],
)
def test_lost_connections_are_one_sentence(found: Reconnections | None, sentence: str) -> None:
    """Noun and verb agree in number."""
    assert reconnections(replace(RECOVERY, reconnected=found)).replace(SPACE, " ") == sentence


def test_a_verdict_without_measurements_has_no_recovery() -> None:
    """If nothing is known about the clients, the text is empty."""
    bare: Verdict = replace(outage_verdicts.outage(), run=None)
    assert reconnections(bare.run.recovery if bare.run else None) == ""
