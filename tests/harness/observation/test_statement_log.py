import json
from datetime import UTC, datetime
from pathlib import Path

from harness.observation.statement_log import collect
from harness.recording.reader import read_queries

LINES = """\
2026-01-01 00:00:10.250 UTC [41] server-1 writer LOG:  duration: 0.100 ms  bind stmt_1: SELECT seq_out FROM put($1)
2026-01-01 00:00:10.251 UTC [41] server-1 writer LOG:  duration: 1.250 ms  execute stmt_1: SELECT seq_out FROM put($1)
2026-01-01 00:00:10.300 UTC [42] server-1 reader LOG:  duration: 0.500 ms  execute stmt_2: SELECT asked.n
\tFROM asked
\tORDER BY n
2026-01-01 00:00:10.400 UTC [43] harness telemetry LOG:  duration: 9.000 ms  statement: SELECT 1
2026-01-01 00:00:10.500 UTC [44] server-1 writer ERROR:  deadlock detected
\tDETAIL:  somebody waits
2026-01-01 00:00:11.000 UTC [45]LOG:  duration: 2.000 ms  statement: SELECT 2
half a line
"""


def a_folder(folder: Path, log: str | None) -> Path:
    (folder / "arrays").mkdir()
    (folder / "logs").mkdir()
    began = datetime(2026, 1, 1, 0, 0, 10, tzinfo=UTC)
    event = {"at_ns": 5_000_000_000, "wall": began.isoformat().replace("+00:00", "Z"), "event": "phase"}
    (folder / "events.jsonl").write_text(json.dumps(event) + "\n")
    if log is not None:
        (folder / "logs" / "database.log").write_text(log)
    return folder


def test_executions_become_rows_with_the_clock_of_the_recording(tmp_path: Path) -> None:
    """Each execution has its time, statement and duration. Binds and the harness's own queries are not load and are
    left out."""
    assert collect(a_folder(tmp_path, LINES)) == 3
    statements, rows = read_queries(tmp_path)
    assert statements == ["SELECT seq_out FROM put($1)", "SELECT asked.n FROM asked ORDER BY n", "SELECT 2"]
    assert rows["duration_us"].tolist() == [1250, 500, 2000]
    assert rows["at_ns"].tolist() == [5_251_000_000, 5_300_000_000, 6_000_000_000]
    assert rows["statement"].tolist() == [0, 1, 2]


def test_everything_else_stays_in_the_log(tmp_path: Path) -> None:
    """Errors stay in the log for people to read."""
    collect(a_folder(tmp_path, LINES))
    left = (tmp_path / "logs" / "database.log").read_text()
    assert "deadlock detected" in left
    assert "somebody waits" in left
    assert "duration" not in left


def test_without_a_log_there_are_no_rows(tmp_path: Path) -> None:
    """The log of some clusters is not on this machine."""
    assert collect(a_folder(tmp_path, None)) == 0
    assert read_queries(tmp_path)[0] == []
