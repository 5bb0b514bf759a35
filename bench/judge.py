"""How fast a recording is judged: deliveries per second of one core, on a synthetic recording."""

import resource
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np

from bench.load_worker import a_plan
from bench.table import machine
from harness.checks.judge import judge
from harness.planning.arrivals import schedule
from harness.planning.placement import client_channels
from harness.recording import format as layout
from harness.recording.reader import Recording, Seen

CLIENTS, AUDIENCE, RATE_HZ, DURATION_S = 10_000, 100, 1_000.0, 60.0


def synthetic() -> Recording:
    """Scenario A with every delivery in place, 5 ms after its time: 6 million deliveries."""
    plan = replace(
        a_plan(),
        clients=CLIENTS,
        audience=AUDIENCE,
        channels=CLIENTS // AUDIENCE,
        rate_hz=RATE_HZ,
        duration_s=DURATION_S,
    )
    made = schedule(plan)
    total = len(made)
    start_ns = 10**12
    posts = np.zeros(total, layout.POST)
    posts["phase"], posts["channel"], posts["server"] = made.phase, made.channel, made.server
    posts["outcome"], posts["http_status"] = layout.ACKNOWLEDGED, 200
    order = np.argsort(made.channel, kind="stable")
    starts = np.searchsorted(made.channel[order], np.arange(plan.channels))
    posts["seq"][order] = np.arange(total) - np.repeat(starts, np.bincount(made.channel)) + 1
    posts["intended_ns"] = start_ns + made.offset_ns
    posts["sent_ns"], posts["answered_ns"] = posts["intended_ns"] + 1000, posts["intended_ns"] + 4_000_000
    sightings = np.zeros(total, layout.SIGHTING)
    sightings["message"], sightings["channel"] = np.arange(total), made.channel
    sightings["seq"] = posts["seq"]
    first = np.searchsorted(client_channels(plan), np.arange(plan.channels))
    deliveries = np.zeros(total * AUDIENCE, layout.DELIVERY)
    deliveries["sighting"] = np.repeat(np.arange(total), AUDIENCE)
    deliveries["client"] = np.repeat(first[made.channel], AUDIENCE) + np.tile(np.arange(AUDIENCE), total)
    deliveries["received_ns"] = np.repeat(posts["intended_ns"] + 5_000_000, AUDIENCE)
    sessions = np.zeros(CLIENTS, layout.SESSION)
    sessions["client"], sessions["subscribed_ns"] = np.arange(CLIENTS), 1
    events = ({"event": "schedule", "start_ns": start_ns}, {"event": "ended", "how": "complete", "why": ""})
    return Recording(
        folder=Path(),
        plan=plan,
        machine={},
        events=events,
        telemetry=(),
        posts=posts,
        seen={0: Seen(deliveries=deliveries, sightings=sightings, sessions=sessions)},
        pulses={},
        accepted={},
        delivered={},
        stored=None,
    )


def main() -> bool:
    print(machine())
    recording = synthetic()
    count = len(recording.seen[0].deliveries)
    began_s = time.process_time()
    verdict = judge(recording)
    spent_s = time.process_time() - began_s
    assert verdict.measurements["latency_ms"]["p50"] == 5.0
    peak_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e3
    print(f"\njudge: {count:,} deliveries in {spent_s:.2f} s of CPU, {count / spent_s / 1e6:.1f} million/s per core")
    print(f"peak memory, the recording of {count * 16 / 1e6:,.0f} MB included: {peak_mb:,.0f} MB")
    return True


if __name__ == "__main__":
    sys.exit(0 if main() else 1)
