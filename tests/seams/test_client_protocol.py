"""A client protocol that exists only in test code carries a whole run. No module of the harness changes for it."""

import os
import subprocess
import sys

import numpy as np
import pytest

from harness.recording.format import ACKNOWLEDGED, SOUND
from tests.seams.smoke import EXTENDED, ROOT, Run


@pytest.mark.integration
@pytest.mark.xdist_group("courier_run")
def test_a_protocol_of_an_extension_carries_a_run(courier_run: Run) -> None:
    """Posts, deliveries, replies, history and health use the extension's own protocol. Every delivery is sound."""
    run = courier_run
    arrays = run.folder / "arrays"
    posts = np.load(arrays / "posts.npy")
    assert len(posts) > 20
    assert (posts["outcome"] == ACKNOWLEDGED).all()
    deliveries = [np.load(path) for path in sorted(arrays.glob("deliveries-*.npy"))]
    assert sum(map(len, deliveries)) == 4 * len(posts)
    assert all((np.load(path)["flaw"] == SOUND).all() for path in arrays.glob("frames-*.npy"))
    assert len(np.load(arrays / "stored.npy")) == len(posts), "the audit read the protocol's history"
    assert run.verdict["plan"]["protocol"] == "parrot"


@pytest.mark.parametrize(("environment", "known"), [(EXTENDED, "chat, parrot"), (os.environ, "chat")])
def test_the_command_line_knows_what_the_registry_holds(environment: dict[str, str], known: str) -> None:
    """An unknown protocol is refused with the names of all members, also those of the extension."""
    shown = subprocess.run(
        [sys.executable, "-m", "harness.cli", "plan", "scenario-a", "--protocol", "morse"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert shown.returncode == 2
    assert "morse" in shown.stderr
    assert known in shown.stderr
