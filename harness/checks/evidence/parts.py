"""The parts of a recording that checks need, and which of them a recording lacks."""

from collections.abc import Iterator, Mapping
from enum import StrEnum

import numpy as np

from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.tally import Tally
from harness.model.backplane import BACKPLANES
from harness.planning.placement import client_workers


class Need(StrEnum):
    """A part of a recording. A check that needs it cannot pass without it."""

    LEDGER = "ledger"
    DELIVERIES = "deliveries"
    SESSIONS = "sessions"
    TRACES = "traces"
    BACKPLANE = "backplane states"
    AUDIT = "audit"
    TELEMETRY = "telemetry"
    HEARTBEATS = "heartbeats"
    EVENTS = "events"
    INCIDENTS = "incidents"
    VERDICTS = "verdicts of the runs"


def lacking(evidence: Evidence, tally: Tally) -> Mapping[Need, str]:
    """The parts that are missing or incomplete, each with a description of the gap."""
    found = {
        Need.LEDGER: "" if evidence.has_ledger else "posts.npy is missing or does not fit the plan",
        Need.DELIVERIES: _deliveries(evidence, tally),
        Need.SESSIONS: _sessions(evidence),
        Need.TRACES: _traces(evidence),
        Need.BACKPLANE: _backplane(evidence),
        Need.AUDIT: "" if evidence.recording.stored is not None else "the database was not read after the run",
        Need.TELEMETRY: "" if evidence.recording.telemetry else "telemetry.jsonl is missing or empty",
        Need.HEARTBEATS: _heartbeats(evidence),
        Need.EVENTS: _events(evidence),
        Need.INCIDENTS: _incidents(evidence),
    }
    return {need: missing for need, missing in found.items() if missing}


def _deliveries(evidence: Evidence, tally: Tally) -> str:
    workers = sorted(np.unique(client_workers(evidence.plan)[tally.unseen]).tolist())
    return f"rows of {', '.join(f'worker-{worker:02}' for worker in workers)} are missing" if workers else ""


def _sessions(evidence: Evidence) -> str:
    known = np.zeros(evidence.plan.clients, np.bool_)
    for seen in evidence.recording.seen.values():
        clients = seen.sessions["client"]
        known[clients[clients < len(known)]] = True
    missing = int((~known).sum())
    return f"{missing:,} of {len(known):,} clients have no session" if missing else ""


def _traces(evidence: Evidence) -> str:
    servers, recording = range(evidence.plan.servers), evidence.recording
    missing = [_named("accepted", servers, recording.accepted), _named("delivered", servers, recording.delivered)]
    return "; ".join(filter(None, missing))


def _backplane(evidence: Evidence) -> str:
    """A cluster that the harness does not own keeps no trace, and a backplane without a broker has no connection to
    lose."""
    backplane = BACKPLANES.find(evidence.plan.backplane)
    if not evidence.owns_servers or backplane is None or backplane.broker is None:
        return ""
    return _named("backplane", range(evidence.plan.servers), evidence.recording.backplane)


def _named(part: str, expected: range, found: Mapping[int, object]) -> str:
    files = [f"{part}-{number:02}.npy" for number in expected if number not in found]
    return f"{', '.join(files)}: missing" if files else ""


def _heartbeats(evidence: Evidence) -> str:
    heartbeats = evidence.heartbeats
    missing = [name for name in generator_processes(evidence) if not len(heartbeats.get(name, ()))]
    return f"{', '.join(missing)} left no heartbeats" if missing else ""


def generator_processes(evidence: Evidence) -> Iterator[str]:
    """The names of the load generator's processes."""
    yield "publisher"
    for worker in range(evidence.plan.workers):
        yield f"worker-{worker:02}"


def _incidents(evidence: Evidence) -> str:
    missing = [name for name in generator_processes(evidence) if name not in evidence.recording.incidents]
    return f"{', '.join(missing)} left no list of incidents" if missing else ""


def _events(evidence: Evidence) -> str:
    missing = [word for word in ("schedule", "ended") if evidence.recording.event(word) is None]
    return f"events.jsonl has no event {' and no event '.join(missing)}" if missing else ""
