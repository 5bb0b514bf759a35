"""The output of a benchmark: the machine, the versions, both sides, the ratio, the mark."""

import platform
import statistics
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("uvloop", "picows", "uvicorn", "starlette", "websockets", "aiohttp")


def machine() -> str:
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    cores = sum(line.startswith("processor") for line in _lines("/proc/cpuinfo")) or 1
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    system = f"{platform.system()} {platform.release()}, Python {platform.python_version()}"
    return f"{cores} cores of {model}, {system}\n{packages}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text().splitlines()
    except OSError:
        return []


def show(title: str, unit: str, rounds: Mapping[str, Sequence[float]], *, base: str, mark: tuple[str, float]) -> bool:
    """Print median, range and the ratio to ``base``. True when the row named by ``mark`` keeps its ratio.

    A ratio is the median of the ratios round by round: both sides of each were measured within the same few seconds.
    """
    print(f"\n{title}\n{'':34}{unit:>14}{'range':>18}{'× ' + base:>22}")
    kept = True
    for name, values in rounds.items():
        middle = statistics.median(values)
        ratio = ""
        if rounds.get(base):
            factor = statistics.median(a / b for a, b in zip(values, rounds[base], strict=True))
            ratio = f"{factor:.2f}"
            if name == mark[0]:
                kept = factor <= mark[1]
                ratio += f" (mark {mark[1]:g}: {'kept' if kept else 'missed'})"
        print(f"{name:34}{middle:14.2f}{f'{min(values):.2f}-{max(values):.2f}':>18}{ratio:>22}")
    return kept
