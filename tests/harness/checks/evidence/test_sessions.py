"""Where clients were, and which connections were lost."""

import dataclasses
from pathlib import Path

import numpy as np

from harness.checks.evidence.host_clocks import HostClocks
from harness.checks.evidence.sessions import NEVER, Sessions, sessions_of
from harness.recording import format as layout
from tests.harness.recordings import HandMade

PLANNED = np.array([0, 1, 0, 1])


def sessions(folder: Path, *rows: tuple[int, ...], drained_ns: int | None = None) -> Sessions:
    """``rows``: (client, server, close code, subscribed, ended) of each connection."""
    run = HandMade(drained=None, events=[] if drained_ns is None else [{"event": "drained", "at_ns": drained_ns}])
    run.post(0)
    found = run.recording(folder)
    table = np.array([(c, s, code, at - 1, at, 7, end) for c, s, code, at, end in rows], layout.SESSION)
    found = dataclasses.replace(found, seen={0: dataclasses.replace(found.seen[0], sessions=table)})
    return sessions_of(found, HostClocks(found.clocks))


def test_a_client_is_where_its_newest_connection_is(tmp_path: Path) -> None:
    """Before its first connection a client counts for the server of that connection. A client without a connection
    counts for its planned server."""
    found = sessions(tmp_path, (1, 1, 1000, 300, 900), (1, 0, 1006, 100, 200), (3, 0, 1000, 500, 900))
    assert found.servers_at(150, PLANNED).tolist() == [0, 0, 0, 0]
    assert found.servers_at(400, PLANNED).tolist() == [0, 1, 0, 0]
    assert found.present_at(150).sum() == 1
    assert found.present_at(250).sum() == 0
    assert found.present_at(600).sum() == 2


def test_a_lost_connection_is_told_from_a_closed_one(tmp_path: Path) -> None:
    """A connection is lost if another one follows, if its close code is not the load worker's, or if it ended before
    the end of the drain."""
    rows = (
        (0, 0, 1000, 100, 200),
        (0, 0, 1000, 300, 900),
        (1, 1, 1006, 100, 400),
        (2, 0, 1000, 100, 500),
        (3, 1, 0, 1, 0),
    )
    assert sessions(tmp_path, *rows).lost.tolist() == [True, False, True, False, False]
    found = sessions(tmp_path, *rows, drained_ns=800)
    assert found.lost.tolist() == [True, False, True, True, False]
    assert found.again_ns().tolist() == [300, NEVER, NEVER, NEVER, NEVER]


def test_rows_of_unknown_clients_and_no_rows_at_all(tmp_path: Path) -> None:
    """A damaged row does not end the judgement."""
    assert len(sessions(tmp_path, (99, 0, 1000, 1, 2))) == 0
    assert len(Sessions.none()) == 0
    assert Sessions.none().servers_at(1, PLANNED).tolist() == PLANNED.tolist()


def test_a_connection_that_was_never_subscribed_ends_no_gap(tmp_path: Path) -> None:
    """A client is back with its first later connection that was subscribed. Connections of other clients do not
    count."""
    found = sessions(
        tmp_path,
        (0, 0, 1006, 100, 200),
        (0, 1, 1006, 0, 250),
        (0, 0, 1000, 300, 900),
        (1, 0, 1006, 1, 2),
        (2, 0, 1000, 5, 9),
    )
    assert found.again_ns().tolist() == [300, 300, NEVER, NEVER, NEVER]
    assert Sessions.none().again_ns().tolist() == []
