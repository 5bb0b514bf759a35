"""The CPU cost of the live view of a run: rows once a second, and the page with a browser that reads them."""

import statistics
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

from bench.load_worker import a_plan
from bench.table import machine
from harness.live.page import live_page
from harness.live.rows import LiveRows
from harness.model.watch import NextFault, Progress
from harness.recording.writer import write_plan

SPAN_S = 20.0
ROUNDS = 3
LOOKS_HZ = 10.0
"""How often the harness reads the reports of the load, and requests a row; a row is written once a second."""
WORKERS = 4
MARK = 0.01
READER = "import sys, urllib.request\nfor _ in urllib.request.urlopen(sys.argv[1] + 'rows'): pass"
"""A browser's part: it opens the stream of rows and reads until the stream ends."""


def main() -> bool:
    """Print cores kept busy, alternating between a harness that only waits, one that writes rows, and one with the
    page."""
    print(machine())
    found: dict[str, list[float]] = {"waits": [], "writes rows": [], "serves the page too": []}
    for _ in range(ROUNDS):
        found["waits"].append(_cores(rows=False, page=False))
        found["writes rows"].append(_cores(rows=True, page=False))
        found["serves the page too"].append(_cores(rows=True, page=True))
    print(f"\nlive view, {ROUNDS} rounds of {SPAN_S:.0f} s\n{'':24}{'cores':>10}{'range':>18}")
    for name, cores in found.items():
        print(f"{name:24}{statistics.median(cores):10.5f}{f'{min(cores):.5f}-{max(cores):.5f}':>18}")
    cost = statistics.median(b - a for a, b in zip(found["waits"], found["serves the page too"], strict=True))
    print(f"the live view costs {cost:.5f} cores (mark {MARK:g}: {'kept' if cost < MARK else 'missed'})")
    return cost < MARK


def _cores(*, rows: bool, page: bool) -> float:
    """CPU seconds of this process per second."""
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        write_plan(folder, a_plan())
        live = stack.enter_context(LiveRows(a_plan(), folder, _samples))
        live.begin_schedule(time.monotonic_ns())
        if page:
            served = stack.enter_context(live_page(0))
            served.show(folder)
            reader = subprocess.Popen([sys.executable, "-c", READER, served.address])
            stack.callback(reader.wait)
            stack.callback(reader.terminate)
            time.sleep(1)
        begun_s, used_s = time.monotonic(), time.process_time()
        looks = int(SPAN_S * LOOKS_HZ)
        for look in range(looks):
            if rows:
                live.write(live.complete(_progress(look)))
            time.sleep(max(0.0, begun_s + (look + 1) / LOOKS_HZ - time.monotonic()))
        return (time.process_time() - used_s) / (time.monotonic() - begun_s)


def _progress(look: int) -> Progress:
    return Progress(
        clients=10_000,
        connected=10_000,
        subscribed=10_000,
        probed=10_000,
        sent=look * 100,
        acknowledged=look * 100,
        delivered=look * 2_500,
        expected=look * 2_500,
        p50_ms=6.2,
        p95_ms=10.8,
        p99_ms=19.6,
        whole_p50_ms=6.2,
        whole_p99_ms=19.6,
        late_ms=0.1,
        lag_ms=1.0,
        fault=NextFault(what="stop broker", in_s=3.0),
    )


def _samples() -> tuple[dict[str, object], ...]:
    """The newest two samples of a telemetry with 4 servers and 4 load workers."""
    names = [f"server-{number}" for number in range(4)] + [f"worker-{number:02}" for number in range(WORKERS)]
    return tuple(
        {
            "at_ns": second * 10**9,
            "processes": {name: {"cpu_s": second * 0.3} for name in names},
            "machine": {"busy_s": second * 1.5},
        }
        for second in (1, 2)
    )
