"""The heartbeats of the load generator's processes, on the clock with which all other times of the run are compared."""

from collections.abc import Mapping

import numpy as np

from harness.checks.evidence.host_clocks import HostClocks
from harness.recording.reader import Recording, Rows


def heartbeats_of(recording: Recording, clocks: HostClocks) -> Mapping[str, Rows]:
    """By process; ``at_ns`` is on the harness's clock. An unknown offset is taken to be 0: the check `clock`
    then says that the clocks cannot be compared."""
    return {name: _on_one_clock(name, rows, clocks) for name, rows in recording.heartbeats.items()}


def _on_one_clock(name: str, rows: Rows, clocks: HostClocks) -> Rows:
    zero = np.zeros(1, np.int64)
    shift_ns = int(clocks.elapsed_ns(zero, clocks.coordinator, zero, clocks.of_file(f"heartbeat-{name}")).middle[0])
    if not shift_ns:
        return rows
    shifted = np.array(rows)
    shifted["at_ns"] += shift_ns
    return shifted
