"""Periodic samples of a hand-made recording: telemetry of an idle machine, and heartbeats that are never late."""

from typing import Any

import numpy as np

from harness.model.plan import Plan
from harness.recording import format as layout

START_NS = 1_000_000_000_000
QUIET_S = 5.0


def telemetry(plan: Plan, disk_stalled_share: float) -> tuple[dict[str, Any], ...]:
    """Two samples of an idle machine inside the measured window; four if the window is longer than 5 s."""
    names = [*(f"server-{n + 1}" for n in range(plan.servers)), "worker-00", "publisher", "database", "broker"]
    window_ns = START_NS + int(plan.warm_up_s * 1e9)
    return tuple(
        {
            "at_ns": window_ns + int(plan.duration_s * 1e9 * share),
            "machine": {
                "busy_s": 0.0,
                "steal_s": 0.0,
                "disk_stalled_s": disk_stalled_share * plan.duration_s * share,
                "memory_used_bytes": 1,
                "memory_available_bytes": 1,
            },
            "processes": {name: {"cpu_s": 0.0, "rss_bytes": 1.0} for name in names},
        }
        for share in ((0.0, 0.9) if plan.duration_s <= 5 else np.linspace(0, 0.9, 4))
    )


def heartbeats(plan: Plan) -> Any:
    """Heartbeats that are never late, from the start of the measured window to the end of the drain."""
    begin_ns = START_NS + int(plan.warm_up_s * 1e9)
    at_ns = np.arange(begin_ns, drained_ns(plan) + 1, layout.HEARTBEAT_INTERVAL_NS)
    heartbeat = np.zeros(len(at_ns), layout.HEARTBEAT)
    heartbeat["at_ns"], heartbeat["connected"] = at_ns, plan.clients
    return heartbeat


def drained_ns(plan: Plan) -> int:
    return START_NS + int((plan.warm_up_s + plan.duration_s + 2 * QUIET_S) * 1e9)
