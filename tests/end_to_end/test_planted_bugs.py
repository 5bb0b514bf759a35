"""The whole tool against a server that breaks one promise: the right check is red, and the exit code says so."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from harness.environments.ports import free_ports
from tests.end_to_end.watched_run import QUICK

TOKEN = "end-to-end"
pytestmark = [pytest.mark.integration, pytest.mark.quiet]


@contextmanager
def faulty_cluster(bug: str, folder: Path) -> Iterator[list[str]]:
    """Two servers with one bug; gives their URLs."""
    token_file = folder / "token"
    token_file.write_text(TOKEN)
    ports = free_ports(2)
    process = subprocess.Popen(
        [
            *(sys.executable, str(Path(__file__).with_name("faulty_server.py"))),
            *("--ports", ",".join(map(str, ports)), "--token-file", str(token_file), "--bug", bug),
        ],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        assert process.stdout.readline().strip() == "ready"
        yield [f"http://127.0.0.1:{port}" for port in ports]
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.mark.parametrize(
    ("bug", "expected"),
    [
        ("none", set()),
        ("drop-one", {"lost"}),
        ("drop-last", {"lost", "lost-tail"}),
        ("twice", {"duplicate-wire"}),
        ("twice-new-seq", {"duplicate-visible"}),
        ("swap", {"order"}),
        ("alter", {"phantom", "lost"}),
        ("stranger", {"phantom"}),
        ("ack-before-commit", {"commit-order"}),
        ("publish-before-commit", {"commit-order"}),
        ("ack-not-stored", {"acknowledged-not-stored", "delivered-not-stored", "seq-gapless"}),
        ("wrong-seq-ack", {"seq-gapless"}),
        ("reject-but-deliver", {"phantom", "ledger"}),
    ],
)
def test_a_planted_bug_turns_its_check_red(bug: str, expected: set[str], tmp_path: Path) -> None:
    """Through the real command: exit 1 and exactly the checks that the bug breaks; exit 0 where there is none."""
    with faulty_cluster(bug, tmp_path) as urls:
        shown = subprocess.run(
            [
                *(*QUICK, "run", "scenario-a", "--environment", "external"),
                *(part for url in urls for part in ("--server", url)),
                *("--size", "smoke", "--clients", "40", "--rate", "50", "--duration", "1", "--audience", "10"),
                *("--json", "--force", "--out", str(tmp_path / "results")),
            ],
            env={**os.environ, "HARNESS_TOKEN": TOKEN},
            capture_output=True,
            text=True,
            timeout=60,
        )
    assert shown.stdout, shown.stderr
    verdict = json.loads(shown.stdout)
    found = {finding["check"] for finding in verdict["findings"] if finding["status"] == "fail"}
    assert found == expected, shown.stderr
    assert shown.returncode == (1 if expected else 0), shown.stderr
    assert verdict["status"] == ("fail" if expected else "pass")
