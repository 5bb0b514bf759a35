"""The smallest run through the command line against servers of the made-up client protocol."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.environments.ports import free_ports
from harness.model.registry import EXTENSIONS_VARIABLE
from tests.end_to_end.watched_run import QUICK

TOKEN = "parrot-key"
ROOT = Path(__file__).parents[2]
EXTENDED = {**os.environ, "HARNESS_TOKEN": TOKEN, EXTENSIONS_VARIABLE: "tests.seams.extension"}
"""The environment in which every process of the harness finds the made-up members."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    folder: Path
    verdict: Any


@contextmanager
def parrot_servers(count: int) -> Iterator[tuple[str, ...]]:
    """The URLs of ``count`` servers of the protocol `parrot`."""
    ports = free_ports(count)
    command = [sys.executable, "-m", "tests.seams.parrot_server", TOKEN, *map(str, ports)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield tuple(f"http://127.0.0.1:{port}" for port in ports)
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def smoke_run(out: Path, *options: str) -> Run:
    """8 clients in channels of 4 and 20 messages/s for 1 s, on 2 servers that speak `parrot`. The run must lose no
    message."""
    with parrot_servers(2) as urls:
        shown = subprocess.run(
            [
                *(*QUICK, "run", "scenario-a", "--environment", "external"),
                *(part for url in urls for part in ("--server", url)),
                *("--size", "smoke", "--clients", "8", "--audience", "4", "--rate", "20", "--duration", "1"),
                *("--protocol", "parrot", "--json", "--force", "--out", str(out), *options),
            ],
            cwd=ROOT,
            env=EXTENDED,
            capture_output=True,
            text=True,
            timeout=100,
        )
    assert shown.stdout, shown.stderr
    verdict = json.loads(shown.stdout)
    found = {finding["check"]: finding["status"] for finding in verdict["findings"]}
    assert found["lost"] == "pass", found
    assert not [
        finding for finding in verdict["findings"] if (finding["kind"], finding["status"]) == ("safety", "fail")
    ]
    return Run(folder=(out / "scenario-a" / "latest").resolve(), verdict=verdict)
