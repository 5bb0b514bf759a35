from reference_server.server_trace import LIVE, RECOVERED, Trace


def test_rows_come_back_as_they_were_added() -> None:
    """Each row has the columns in the order of the protocol. A page may start at any offset."""
    trace = Trace(10)
    trace.accepted.add("a", 1, 10, 20, 30)
    trace.accepted.add("b", 1, 11, 21, 0)
    trace.accepted.add("a", 2, 12, 22, 32)
    assert trace.accepted.rows(0, 2) == [("a", 1, 10, 20, 30), ("b", 1, 11, 21, 0)]
    assert trace.accepted.rows(2, 2) == [("a", 2, 12, 22, 32)]
    assert trace.accepted.rows(3, 2) == []


def test_the_source_is_shown_by_its_name() -> None:
    """The name is ``live`` or ``recovered``."""
    trace = Trace(10)
    trace.delivered.add("a", 1, 10, 20, 5, LIVE)
    trace.delivered.add("a", 2, 10, 20, 5, RECOVERED)
    assert [row[-1] for row in trace.delivered.rows(0, 9)] == ["live", "recovered"]


def test_the_first_rows_are_kept_and_the_rest_counted() -> None:
    """A part of the trace has a limited number of rows. The number of dropped rows is counted."""
    trace = Trace(2)
    for seq in range(5):
        trace.accepted.add("a", seq, 0, 0, 0)
    assert [row[1] for row in trace.accepted.rows(0, 9)] == [0, 1]
    assert (len(trace.accepted), trace.accepted.dropped) == (2, 3)
