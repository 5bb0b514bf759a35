"""Who is dead, as far as anybody can tell."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments.docker.owner import LOGS, OWNER, RUN, Owner, is_dead, labels

HERE = Owner.of_this_process()
NOBODY = replace(HERE, pid=2**22 - 1)


def test_labels_tell_the_run_its_owner_and_its_logs(tmp_path: Path) -> None:
    """A later process reads from them whose it was and where its logs belong."""
    made = labels(run_id="r1", owner=HERE, logs=tmp_path)
    assert made[RUN] == "r1"
    assert made[LOGS] == str(tmp_path)
    assert Owner.read(made[OWNER]) == HERE
    assert HERE.pid == os.getpid()


@pytest.mark.parametrize("label", ["", "x", "[]", "{}", '{"pid": 1}'])
def test_a_label_that_is_not_ours_names_nobody(label: str) -> None:
    """What we cannot read we do not touch."""
    assert Owner.read(label) is None


@pytest.mark.parametrize(
    ("owner", "anything_runs", "dead"),
    [
        (HERE, True, False),
        (NOBODY, True, True),
        (replace(HERE, started="1"), True, True),  # a later process has its number
        (replace(NOBODY, machine="another 0"), False, False),
        (replace(NOBODY, pids="pid:[1]"), False, False),  # a container's own count
        (replace(NOBODY, started=""), False, False),
        (replace(HERE, boot="earlier"), False, True),
        (replace(HERE, boot="earlier"), True, False),  # another machine of the same name
    ],
)
def test_who_is_dead(owner: Owner, anything_runs: bool, dead: bool) -> None:
    """Only who is certainly gone: an engine may serve several machines, a process several namespaces."""
    assert is_dead(owner, HERE, anything_runs=anything_runs) is dead
