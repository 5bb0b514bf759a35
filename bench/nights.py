"""Nights with real runs: the results of `harness compare` and `harness trend` for unchanged nights and for a slowed
server.

    python -m bench.nights --out FOLDER [--honest 10] [--slower 5,10,15,20] [--each 10] [-- run options]

Makes ``honest`` runs, then ``each`` runs of a server with so much more CPU for each percentage with ``honest`` runs
between them, then prints, from the history in FOLDER: false alarms of neighbouring honest pairs, detections of pairs
and of groups, and what the trend found. Runs that are in FOLDER already are not made again, so a series can be
continued. Needs a quiet machine; a run of smoke size takes about 12 s.
"""

import argparse
import os
import subprocess
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

from bench.slow_server import VARIABLE
from harness.comparison.compare import compare
from harness.comparison.margins import margins_of
from harness.history.history_file import read_history
from harness.history.trend import trend_of
from harness.model.comparison import Comparison
from harness.model.history import History, HistoryEntry
from harness.report.text.comparison_tables import counts
from harness.report.text.trend_tables import point_words

LABEL = "slower"


def make(out: Path, blocks: Sequence[tuple[str, float, int]], options: Sequence[str]) -> None:
    """Each block: its name, the percentage, how many runs."""
    for name, percent, count in blocks:
        done = sum(entry.labels.get("block") == name for entry in read_history(out).entries)
        for number in range(done, count):
            print(f"{name}: run {number + 1} of {count}", file=sys.stderr, flush=True)
            command = [sys.executable, "-m", "harness.cli", "run", "scenario-a", "--out", str(out), "--no-report"]
            command += ["--server-module", "bench.slow_server", "--seed", str(number + 1)]
            command += ["--label", f"{LABEL}={percent:g}", "--label", f"block={name}", *options]
            done_run = subprocess.run(
                command, env={**os.environ, VARIABLE: f"{percent:g}"}, stdout=subprocess.DEVNULL, check=False
            )
            if done_run.returncode in (2, 4, 5):
                raise SystemExit(f"the run ended with exit code {done_run.returncode}: see above")


def against(base: Sequence[HistoryEntry], run: Sequence[HistoryEntry], history: Sequence[HistoryEntry]) -> Comparison:
    return compare(base, run, history, base_name="BASE", run_name="RUN", margins_percent=margins_of(()), doubtful=True)


def table(history: History, percents: Sequence[float]) -> None:
    honest = [entry for entry in history.entries if entry.labels.get(LABEL) == "0"]
    pairs = [against([a], [b], honest) for a, b in pairwise(honest)]
    print(f"{'':34}{'worse':>8}{'undecided':>11}{'same':>8}   of")
    _row("honest, one against the one before", pairs)
    for percent in percents:
        slowed = [entry for entry in history.entries if entry.labels.get(LABEL) == f"{percent:g}"]
        _row(
            f"+{percent:g} %, one against one",
            [against([a], [b], honest) for a, b in zip(honest, slowed, strict=False)],
        )
        group = against(honest[: len(slowed)], slowed, honest)
        print(f"  +{percent:g} %, all against as many: {group.status.upper()}, {counts(group.measures)}")
    print()
    for series in trend_of(history, with_doubtful=True).series:
        for point in series.change_points:
            print(f"trend: {point_words(series, point)}")


def _row(name: str, found: Sequence[Comparison]) -> None:
    words = [str(comparison.status) for comparison in found]
    print(f"{name:34}{words.count('fail'):>8}{words.count('unknown'):>11}{words.count('pass'):>8}   {len(words)}")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--out", type=Path, required=True)
    options.add_argument("--honest", type=int, default=10)
    options.add_argument("--each", type=int, default=10)
    options.add_argument("--slower", default="15")
    options.add_argument("run_options", nargs="*", default=["--size", "smoke"])
    chosen = options.parse_args()
    percents = [float(part) for part in chosen.slower.split(",")]
    blocks = [("honest-0", 0.0, chosen.honest)]
    for number, percent in enumerate(percents, 1):
        blocks += [(f"slower-{percent:g}", percent, chosen.each), (f"honest-{number}", 0.0, chosen.honest)]
    make(chosen.out, blocks, chosen.run_options)
    table(read_history(chosen.out), percents)


if __name__ == "__main__":
    main()
