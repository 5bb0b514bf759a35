"""Our change points beside those of Apache Otava, on the same made-up series: an independent oracle.

    python -m bench.otava [--venv FOLDER]

Otava pins the versions of NumPy and SciPy and brings clients of clouds, so it gets a separate environment, in FOLDER or
in a temporary one. If it cannot be installed, the program says so and compares nothing (exit code 0).
"""

import argparse
import json
import math
import subprocess
import sys
import tempfile
import venv
from pathlib import Path

import numpy as np

from harness.history.change_points import SEGMENT_AT_LEAST, change_points

PACKAGE = "apache-otava"
SERIES = 200
TOLERANCE = 1
"""nights by which two methods may place one change differently"""
_PROGRAM = """
import json, sys
from otava.analysis import compute_change_points
found = []
for series in json.load(sys.stdin):
    points, _ = compute_change_points(series, window_len=50, max_pvalue=0.001, min_magnitude=0.02)
    found.append([int(point.index) for point in points])
json.dump(found, sys.stdout)
"""


def made_up() -> list[tuple[str, list[float], list[int]]]:
    """(kind, values, where the level really changes)"""
    randomness = np.random.default_rng(1)
    found = []
    for number in range(SERIES):
        kind = ("honest", "step of 15 %", "step of 8 %", "excursion of 30 %")[number % 4]
        logs = randomness.normal(0.0, 0.03, 40)
        truth: list[int] = []
        if kind.startswith("step"):
            truth = [int(randomness.integers(12, 30))]
            logs[truth[0] :] += math.log1p(0.15 if "15" in kind else 0.08)
        elif kind.startswith("excursion"):
            truth = [14, 26]
            logs[14:26] += math.log1p(0.30)
        found.append((kind, [float(value) for value in 50 * np.exp(logs)], truth))
    return found


def otava(python: Path, series: list[list[float]]) -> list[list[int]]:
    """The changes that Otava finds. Raises CalledProcessError if its interface differs."""
    done = subprocess.run(
        [str(python), "-c", _PROGRAM], input=json.dumps(series), capture_output=True, text=True, check=True, timeout=600
    )
    found: list[list[int]] = json.loads(done.stdout)
    return found


def installed(folder: Path) -> Path | None:
    """The interpreter of an environment with Otava in it; None if it cannot be installed."""
    python = folder / "bin" / "python"
    if not python.exists():
        venv.create(folder, with_pip=True)
    done = subprocess.run(
        [str(python), "-m", "pip", "install", "-q", PACKAGE], capture_output=True, text=True, check=False, timeout=900
    )
    return python if done.returncode == 0 else None


def _same(one: list[int], other: list[int]) -> bool:
    return len(one) == len(other) and all(abs(a - b) <= TOLERANCE for a, b in zip(one, other, strict=True))


def compare(python: Path) -> None:
    series = made_up()
    theirs = otava(python, [values for _, values, _ in series])
    print(f"{'':20}{'series':>8}{'ours right':>12}{'Otava right':>13}{'agree':>8}")
    for kind in dict.fromkeys(kind for kind, _, _ in series):
        rows = [
            ([change.at for change in change_points(values)], their, truth)
            for (found, values, truth), their in zip(series, theirs, strict=True)
            if found == kind
        ]
        counted = (
            sum(_same(ours, truth) for ours, _, truth in rows),
            sum(_same(their, truth) for _, their, truth in rows),
            sum(_same(ours, their) for ours, their, _ in rows),
        )
        print(f"{kind:20}{len(rows):>8}{counted[0]:>12}{counted[1]:>13}{counted[2]:>8}")
    print(f"right: as many changes as there are, each within {TOLERANCE} night")
    print(f"ours needs {SEGMENT_AT_LEAST} nights on each side of a change")


def main() -> None:
    options = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    options.add_argument("--venv", type=Path)
    chosen = options.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        python = installed(chosen.venv or Path(temporary))
        if python is None:
            print(f"skipped: {PACKAGE} cannot be installed here", file=sys.stderr)
            return
        compare(python)


if __name__ == "__main__":
    main()
