"""The stage, which runs the trials."""

import pytest

from harness.environments.external import TOKEN_VARIABLE
from harness.prove.stage import USERS_CLUSTER, Stage, _environment


def test_a_trial_knows_nothing_of_the_users_cluster(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every trial has its own cluster. Variables that name the user's cluster do not reach it; all other variables
    do."""
    for name in USERS_CLUSTER:
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setenv("MY_OWN", "kept")
    found = _environment()
    assert TOKEN_VARIABLE in USERS_CLUSTER
    assert not set(USERS_CLUSTER) & found.keys()
    assert found["MY_OWN"] == "kept"


def test_the_token_goes_by_the_environment() -> None:
    """The token is never on the command line."""
    assert Stage.with_token("s3cret") == {TOKEN_VARIABLE: "s3cret"}
