"""Seeded kills with both write paths: expected and found loss side by side.

    python -m bench.kills --seeds 20 --out results

Each seed is two smoke runs of Scenario D, one with each write path: the same schedule, the same server killed at the
same moment. A run of some 20 s each, one after the other. Exit code 0: every kill was measured; the losses are the
result.
"""

import argparse
import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

WRITE_PATHS = ("db-first", "broker-first")
RUN_LIMIT_S = 180


@dataclass(frozen=True, slots=True, kw_only=True)
class Kill:
    """One run. ``expected`` and the interval are None if the run did not measure them."""

    seed: int
    write_path: str
    status: str
    found: int | None
    expected: float | None
    low: float | None
    high: float | None

    @property
    def measured(self) -> bool:
        return self.found is not None


def kill_of(seed: int, write_path: str, verdict: dict[str, Any]) -> Kill:
    """The figures of one kill, by the verdict of its run."""
    losses = ((verdict.get("run") or {}).get("durability") or {}).get("losses") or []
    found = sum(loss["found"] for loss in losses) if losses else None
    low, expected, high = (
        round(sum(loss[key] for loss in losses), 1) if losses else None
        for key in ("expected_low", "expected", "expected_high")
    )
    status = str(verdict.get("status"))
    return Kill(seed=seed, write_path=write_path, status=status, found=found, expected=expected, low=low, high=high)


def summary(kills: list[Kill]) -> str:
    """One line for each write path: how many kills lost something, and how many messages, beside the expected
    number."""
    lines = []
    for write_path in WRITE_PATHS:
        mine = [kill for kill in kills if kill.write_path == write_path and kill.measured]
        if not mine:
            lines.append(f"{write_path}: no kill was measured")
            continue
        lossy = sum(bool(kill.found) for kill in mine)
        found, expected = sum(kill.found or 0 for kill in mine), sum(kill.expected or 0.0 for kill in mine)
        inside = sum((kill.low or 0.0) <= (kill.found or 0) <= (kill.high or 0.0) for kill in mine)
        bound = f"; fewer than {3 / len(mine):.0%} of kills lose something (rule of three, 95 %)" if not lossy else ""
        lines.append(
            f"{write_path}: {lossy} of {len(mine)} kills lost messages, {found:,} found, {expected:,.0f} expected; "
            f"{inside} of {len(mine)} within their own 95 % interval{bound}"
        )
    return "\n".join(lines)


def run(seed: int, write_path: str, out: Path) -> Kill:
    command = [
        str(Path(sys.executable).with_name("harness")),
        "run",
        "scenario-d",
        "--size",
        "smoke",
        "--write-path",
        write_path,
    ]
    command += ["--seed", str(seed), "--out", str(out), "--force", "--no-report", "--json"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=RUN_LIMIT_S, check=False)
    try:
        verdict = json.loads(done.stdout)
    except ValueError:
        print(f"seed {seed}, {write_path}: exit code {done.returncode}: {done.stderr[-500:]}", file=sys.stderr)
        verdict = {"status": f"exit {done.returncode}"}
    return kill_of(seed, write_path, verdict)


def main() -> int:
    parser = argparse.ArgumentParser(prog="bench.kills", description="Seeded kills with both write paths.")
    parser.add_argument("--seeds", type=int, default=3, help="how many kills with each write path")
    parser.add_argument("--out", type=Path, default=Path("results"), help="folder for the runs")
    arguments = parser.parse_args()
    print(f"{'seed':>4}  {'write path':<13} {'verdict':<8} {'expected (95 %)':>22} {'found':>6}")
    kills = []
    for seed in range(1, arguments.seeds + 1):
        for write_path in WRITE_PATHS:
            kill = run(seed, write_path, arguments.out)
            expected = f"{kill.expected} ({kill.low} to {kill.high})" if kill.measured else "not measured"
            print(f"{seed:>4}  {write_path:<13} {kill.status:<8} {expected:>22} {kill.found!s:>6}", flush=True)
            kills.append(kill)
    print(summary(kills))
    return 0 if all(kill.measured for kill in kills) else 1


if __name__ == "__main__":
    sys.exit(main())
