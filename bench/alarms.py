"""How often `harness compare` and `harness trend` give a false alarm, and which changes they find: on made-up runs,
without a cluster.

    python -m bench.alarms [--pairs N]

A run is one value for each measure of a run of Scenario A. Runs of one build differ by the spreads of SPREADS; a part
of that is common to all measures of a run (a bad night affects all of them), and one run in twenty has three times the
spread. A worse build has CPU per delivery of the servers and all latencies higher by the percentage.
"""

import argparse
import math
from collections.abc import Callable, Sequence

import numpy as np

from harness.comparison.compare import compare
from harness.comparison.margins import margins_of
from harness.history.trend import recent_worse, trend_of
from harness.model.history import History, HistoryEntry, Measured
from harness.model.measure import MEASURES, MarginGroup, Measure
from harness.model.status import Status
from harness.model.trend import ChangePoint

SPREADS = {MarginGroup.CPU: 0.03, MarginGroup.LATENCY: 0.08, MarginGroup.TAIL: 0.20, MarginGroup.MEMORY: 0.01}
COMMON = 0.5
"""share of the variance that all measures of a run have in common"""
WILD = 0.05
NIGHTS = 30
STEP_AT, STEP_PERCENT = 20, 15.0


class Nights:
    """Made-up runs of one plan on one machine, numbered as they are made."""

    def __init__(self, seed: int) -> None:
        self._randomness = np.random.default_rng(seed)
        self._made = 0

    def make(self, count: int, percent: float = 0.0) -> list[HistoryEntry]:
        return [self._one(percent) for _ in range(count)]

    def _one(self, percent: float) -> HistoryEntry:
        self._made += 1
        common = self._randomness.normal()
        scale = 3.0 if self._randomness.random() < WILD else 1.0
        measures = {
            measure.name: Measured(value=math.exp(self._log(measure, percent, common, scale)))
            for measure in MEASURES
            if measure.group in SPREADS
        }
        return HistoryEntry(
            run=f"night-{self._made:05}",
            began=f"{self._made:08}",
            scenario="made up",
            plan_key="plan",
            plan={},
            machine_key="machine",
            machine={},
            verdict=Status.PASS,
            measures=measures,
        )

    def _log(self, measure: Measure, percent: float, common: float, scale: float) -> float:
        own = self._randomness.normal()
        noise = SPREADS[measure.group] * scale * (math.sqrt(COMMON) * common + math.sqrt(1 - COMMON) * own)
        slowed = measure.name.startswith("servers_") or measure.group in (MarginGroup.LATENCY, MarginGroup.TAIL)
        return noise + (math.log1p(percent / 100) if slowed else 0.0)


def outcomes(pairs: int, percent: float, size: int, history: int, only: Sequence[str], interleaved: bool) -> str:
    """Shares of WORSE, UNDECIDED and SAME or BETTER, of ``pairs`` comparisons."""
    found = []
    for seed in range(pairs):
        nights = Nights(seed)
        earlier = nights.make(history)
        base = nights.make(size) if size > 1 or not earlier else earlier[-1:]
        run = nights.make(size, percent)
        comparison = compare(
            base,
            run,
            earlier,
            base_name="BASE",
            run_name="RUN",
            margins_percent=margins_of(()),
            only=only,
            interleaved=interleaved,
        )
        found.append(comparison.status)
    shares = [found.count(status) / pairs for status in (Status.FAIL, Status.UNKNOWN, Status.PASS)]
    return " ".join(f"{share:>9.1%}" for share in shares)


def trend_alarms(series: int) -> tuple[int, int, int, int]:
    """(series of honest nights with an alarm on any of the 30 mornings, series with an alarm on the last morning,
    series with a step that was found by the last morning, series in which the change of some measure is placed too
    early)."""
    ever = last = found = early = 0
    for seed in range(series):
        honest = Nights(10_000 + seed).make(NIGHTS)
        mornings = [bool(_worse(honest[:night])) for night in range(8, NIGHTS + 1)]
        ever += any(mornings)
        last += mornings[-1]
        nights = Nights(20_000 + seed)
        stepped = [*nights.make(STEP_AT), *nights.make(NIGHTS - STEP_AT, STEP_PERCENT)]
        points = _worse(stepped)
        found += any(abs(point.first - STEP_AT) <= 1 for point in points)
        early += any(point.first < STEP_AT - 2 for point in points)
    return ever, last, found, early


def _worse(entries: Sequence[HistoryEntry]) -> Sequence[ChangePoint]:
    return recent_worse(trend_of(History(entries=tuple(entries))), NIGHTS)


def _rows() -> list[tuple[str, Callable[[int, float], str]]]:
    cpu = ("servers_cpu_us_per_delivery",)

    def row(size: int, history: int, only: Sequence[str], interleaved: bool) -> Callable[[int, float], str]:
        return lambda pairs, percent: outcomes(pairs, percent, size, history, only, interleaved)

    return [
        ("1 against 1, no history", row(1, 0, (), False)),
        ("1 against 1, 10 nights of history", row(1, 10, (), False)),
        ("1 against 1, 30 nights of history", row(1, 30, (), False)),
        ("  the same, servers' CPU alone", row(1, 30, cpu, False)),
        ("3 against 3, 30 nights of history", row(3, 30, (), False)),
        ("6 against 6", row(6, 30, (), True)),
        ("  the same, servers' CPU alone", row(6, 30, cpu, True)),
        ("10 against 10", row(10, 30, (), True)),
        ("20 against 20", row(20, 30, (), True)),
    ]


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--pairs", type=int, default=300)
    options.add_argument("--series", type=int, default=100)
    chosen = options.parse_args()
    spreads = ", ".join(f"{group} {spread:.0%}" for group, spread in SPREADS.items())
    print(f"made-up runs; spread between runs: {spreads}; {chosen.pairs} comparisons each; default margins\n")
    print(f"{'compare':36}{'change':>8} {'worse':>9} {'undecided':>9} {'same':>9}")
    for name, make in _rows():
        for percent in (0.0, 5.0, 10.0, 20.0):
            print(f"{name:36}{percent:>+7.0f}% {make(chosen.pairs, percent)}", flush=True)
    ever, last, found, early = trend_alarms(chosen.series)
    print(f"\ntrend, {chosen.series} series of {NIGHTS} nights, every measure of a run")
    print(f"  honest: false alarm on the last morning in {last}, on any morning in {ever}")
    print(f"  {STEP_PERCENT:g} % worse from night {STEP_AT + 1} on: found by the last morning in {found};")
    print(f"  a change of some measure placed more than two nights too early in {early}")


if __name__ == "__main__":
    main()
