"""Whether the owner of a container is dead, as far as the harness can find out."""

import os
from dataclasses import replace
from pathlib import Path

import pytest

from harness.environments.docker.owner import LOGS, OWNER, RUN, Owner, is_dead, labels

HERE = Owner.of_this_process()
NO_PROCESS = replace(HERE, pid=2**22 - 1)


def test_labels_tell_the_run_its_owner_and_its_logs(tmp_path: Path) -> None:
    """A later process reads the owner and the folder for logs from the labels."""
    made = labels(run_id="r1", owner=HERE, logs=tmp_path)
    assert made[RUN] == "r1"
    assert made[LOGS] == str(tmp_path)
    assert Owner.read(made[OWNER]) == HERE
    assert HERE.pid == os.getpid()


@pytest.mark.parametrize("label", ["", "x", "[]", "{}", '{"pid": 1}'])
def test_a_label_that_is_not_ours_names_no_owner(label: str) -> None:
    """The harness does not touch what it cannot read."""
    assert Owner.read(label) is None


@pytest.mark.parametrize(
    ("owner", "anything_runs", "dead"),
    [
        (HERE, True, False),
        (NO_PROCESS, True, True),
        (replace(HERE, started="1"), True, True),  # a later process has the same pid
        (replace(NO_PROCESS, machine="another 0"), False, False),
        (replace(NO_PROCESS, pids="pid:[1]"), False, False),  # another pid namespace
        (replace(NO_PROCESS, started=""), False, False),
        (replace(HERE, boot="earlier"), False, True),
        (replace(HERE, boot="earlier"), True, False),  # another machine of the same name
    ],
)
def test_who_is_dead(owner: Owner, anything_runs: bool, dead: bool) -> None:
    """Only an owner that is certainly gone counts as dead. One engine may serve several machines, and a pid may belong
    to another namespace."""
    assert is_dead(owner, HERE, anything_runs=anything_runs) is dead
