"""Made-up comparisons and trends for tests of the report."""

import math
from dataclasses import replace

import numpy as np

from harness.comparison.compare import compare
from harness.comparison.margins import margins_of
from harness.history.trend import trend_of
from harness.model.comparison import Comparison
from harness.model.history import History
from harness.model.status import Status
from harness.model.trend import Trend
from tests.harness.history.entries import MACHINE, an_entry, nights

HOSTILE = "<script>alert(1)</script>"


def a_comparison(**changes: object) -> Comparison:
    """One run compared with one base run. RUN is slower and lost a message."""
    values = [float(value) for value in 50 * np.exp(np.random.default_rng(3).normal(0.0, 0.005, 30))]
    run = an_entry(90, {"servers_cpu_us_per_delivery": 60.0}, safety={"lost": Status.FAIL, "order": Status.PASS})
    run = replace(run, revision="abcdef0123456789", noted={"seed": "2"})
    found = compare(
        [an_entry(0)], [run], nights(values), base_name="main", run_name="branch", margins_percent=margins_of(())
    )
    return replace(found, **changes)


def a_difference() -> Comparison:
    """A comparison of runs from two different machines."""
    run = an_entry(90, machine_key="machine1", machine={**MACHINE, "cpu": HOSTILE})
    return compare([an_entry(0)], [run], [], base_name="main", run_name=HOSTILE, margins_percent=margins_of(()))


def a_trend() -> Trend:
    """40 runs: 20 nights, ten slower ones, and ten on another machine. One run has hostile text, and one is not
    used."""
    logs = np.random.default_rng(1).normal(0.0, 0.02, 40)
    logs[20:30] += math.log(1.15)
    entries = [
        replace(entry, machine_key=f"machine{index // 30}", machine={**MACHINE, "cores": str(2 + index // 30)})
        for index, entry in enumerate(nights([float(value) for value in 50 * np.exp(logs)]))
    ]
    entries[3] = replace(entries[3], doubts=("steal",), verdict=Status.UNKNOWN)
    entries[-1] = replace(entries[-1], revision=HOSTILE, labels={HOSTILE: HOSTILE}, run=f"../{HOSTILE}")
    return trend_of(History(entries=tuple(entries), damaged=2))
