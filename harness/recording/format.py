"""The files of a recording: names, row layouts, version.

A recording is a folder, ``results/<scenario>/<UTC time>/``:

    plan.json machine.json clocks.json events.jsonl telemetry.jsonl arrays/*.npy seal.json logs/
    verdict.json series.json report.html plots/ tables/ pilots/

All times are nanoseconds of CLOCK_MONOTONIC of the host that wrote the file; 0 means "never". clocks.json names the
host of each row file, and says how far the clocks of two hosts can be compared. Messages, clients, channels and servers
are named by their 0-based index in the plan. ``docs/recording.md`` is the long form.

History of VERSION, which all files of a recording share, verdict.json included
  1  the first
  2  plan: ``faults`` and ``recovery``; events of faults; backplane-NN.npy
  3  clocks.json; frames-NN.npy and heartbeat-*.npy have these names; roles instead of products; the verdict's
  measurements are the types of harness/model/measurements
  4  seal.json
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

VERSION = 4
READ_BY = {1: "0.1", 2: "0.1", 3: "0.2"}
"""which harness reads the recordings and verdicts of an earlier version"""

PLAN = "plan.json"
MACHINE = "machine.json"
CLOCKS = "clocks.json"
EVENTS = "events.jsonl"
EVENT_FIELDS: Mapping[str, Mapping[str, tuple[type, ...]]] = {
    "schedule": {"start_ns": (int,)},
    "probe": {"expected": (int,), "seen": (int,)},
    "drained": {"how": (str,), "deliveries_hz": (float, int), "quiet_s": (float, int)},
    "received": {"servers": (dict,)},
    "answering": {"servers": (dict,)},
}
"""What the judge reads of an event beside its time: names, each with the types that it may have."""
TELEMETRY = "telemetry.jsonl"
LIVE = "live.jsonl"
"""the rows of the live view, once a second; the verdict does not use them"""
SEAL = "seal.json"
VERDICT = "verdict.json"
SERIES = "series.json"
REPORT = "report.html"
ARRAYS = "arrays"
LOGS = "logs"
PLOTS = "plots"
TABLES = "tables"
RUNS = "runs"
"""in the folder of a sweep: the recordings of its runs"""
PILOTS = "pilots"
"""in the folder of a run: the recordings of its pilots"""
CAPACITY = "capacity.json"
"""in the folder of a capacity search: the request, every step, the result"""
STATEMENTS = "statements.json"
INCIDENTS = "incidents"
"""beginning of the names of incidents-NAME.json, one for each process of the load generator"""

Document = dict[str, Any]
"""a JSON object of a recording, as it was written"""

# Outcome of a post, in posts.npy.
UNSENT, ACKNOWLEDGED, REJECTED, INDETERMINATE = 0, 1, 2, 3

# Flaw of a frame, in frames-NN.npy.
SOUND, FOREIGN, ALTERED, UNVERIFIED = 0, 1, 2, 3
"""SOUND: the text is exactly what was posted. FOREIGN: the text is not of this run's schedule. ALTERED: the text names
a message of the schedule but differs from that message's text. UNVERIFIED: the load worker had seen so many different
frames that it did not compare this one any more."""

POST = np.dtype(
    [
        ("phase", "u1"),  # planning.arrivals: PROBE, WARM_UP, MEASURED
        ("outcome", "u1"),  # UNSENT … INDETERMINATE
        ("server", "<u2"),
        ("channel", "<u4"),
        ("http_status", "<u2"),  # 0: no answer
        ("seq", "<i8"),  # as acknowledged; 0: none
        ("intended_ns", "<i8"),
        ("sent_ns", "<i8"),
        ("answered_ns", "<i8"),
    ]
)
"""posts.npy: the ledger, one row per message of the schedule, the row's number is the message."""

DELIVERY = np.dtype([("client", "<u4"), ("frame", "<u4"), ("received_ns", "<i8")])
"""deliveries-NN.npy: what the clients of load worker NN received, one row per message frame, in order of arrival."""

FRAME = np.dtype([("message", "<i8"), ("channel", "<i4"), ("seq", "<i8"), ("flaw", "u1")])
"""frames-NN.npy: the distinct frames that worker NN saw; deliveries point here. ``message`` -1: none of this run's;
``channel`` -1: a name that is not of this run. Frames that differ only in ignored parts share a row."""

SESSION = np.dtype(
    [
        ("client", "<u4"),
        ("server", "<u2"),
        ("close_code", "<u2"),  # 0: not closed, 1006: connection lost, 1000: closed by the load worker at the end
        ("connected_ns", "<i8"),
        ("subscribed_ns", "<i8"),
        ("position", "<i8"),  # seq in the server's "subscribed": the next delivery is position + 1
        ("ended_ns", "<i8"),
    ]
)
"""sessions-NN.npy: one row per connection of a client of worker NN, in order of time."""

HEARTBEAT = np.dtype(
    [
        ("at_ns", "<i8"),
        ("late_ns", "<i8"),  # how late this heartbeat of the event loop was: it counts for all that were due meanwhile
        ("cpu_ns", "<i8"),  # CPU time of the process so far
        ("count", "<i8"),  # deliveries received (workers) or posts sent (publisher) so far
        ("connected", "<i8"),
    ]
)
HEARTBEAT_INTERVAL_NS = 20_000_000
"""heartbeat-worker-NN.npy, heartbeat-publisher.npy: each process of the load generator measuring itself. A heartbeat is
due every HEARTBEAT_INTERVAL_NS, always at the same distance from the first; the next row is the first that is due after
it."""

ACCEPTED = np.dtype(
    [("channel", "<u4"), ("seq", "<i8"), ("accepted_ns", "<i8"), ("committed_ns", "<i8"), ("published_ns", "<i8")]
)
"""accepted-NN.npy: server NN's trace of the messages it accepted (docs/protocol.md)."""

DELIVERED = np.dtype(
    [
        ("channel", "<u4"),
        ("seq", "<i8"),
        ("received_ns", "<i8"),
        ("written_ns", "<i8"),
        ("sockets", "<u4"),
        ("recovered", "u1"),
    ]
)
"""delivered-NN.npy: server NN's trace of the messages it wrote to sockets."""

DOWN, UP, SUBSCRIBED = 0, 1, 2
BACKPLANE = np.dtype([("state", "u1"), ("at_ns", "<i8")])
"""backplane-NN.npy: the state of server NN's connection to the backplane, and when it changed. SUBSCRIBED: every
channel that the server wants is confirmed. A server that was started again has only the changes since then."""

STORED = np.dtype([("message", "<i8"), ("channel", "<i4"), ("seq", "<i8"), ("flaw", "u1")])
"""stored.npy: the audit, every row that the database holds of this run, in order of (channel, seq)."""

QUERY = np.dtype([("at_ns", "<i8"), ("statement", "<u2"), ("duration_us", "<u4")])
"""queries.npy: the statements by PostgreSQL's own log, in order of their ends. ``statement`` is an index into
statements.json, a list of texts."""
