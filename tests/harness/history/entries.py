"""Lines of the history for tests: synthetic nights. No value here was measured."""

from collections.abc import Mapping, Sequence
from typing import Any

from harness.model.history import HistoryEntry, Measured
from harness.model.status import Status

MACHINE = {"cpu": "made up", "cores": "2"}


def an_entry(night: int = 0, measures: Mapping[str, float | Measured] | None = None, **changes: Any) -> HistoryEntry:
    """One night. ``measures`` are values, or values with intervals."""
    found = measures or {"servers_cpu_us_per_delivery": 50.0}
    values: dict[str, Any] = {
        "run": f"scenario-a/night-{night:03}",
        "began": f"2026-{1 + night // 28:02}-{1 + night % 28:02}T03:00:00.000Z",
        "scenario": "scenario-a",
        "plan_key": "plan0",
        "plan": {"scenario": "scenario-a", "servers": "4", "clients": "200", "rate_hz": "100", "backplane": "redis"},
        "machine_key": "machine0",
        "machine": MACHINE,
        "noted": {"seed": "1"},
        "verdict": Status.PASS,
        "safety": {"lost": Status.PASS, "order": Status.PASS},
        "measures": {
            name: value if isinstance(value, Measured) else Measured(value=value) for name, value in found.items()
        },
    }
    return HistoryEntry(**values | changes)


def nights(values: Sequence[float], measure: str = "servers_cpu_us_per_delivery", **changes: Any) -> list[HistoryEntry]:
    return [an_entry(night, {measure: value}, **changes) for night, value in enumerate(values)]
