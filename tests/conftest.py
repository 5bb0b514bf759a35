"""Tests that need a Docker engine say so where they are skipped, and why. Ctrl-C reaches the programs that tests start."""

import signal

import pytest

from harness.environments.docker.docker_engine import QUICK_S, connect
from harness.model.errors import EnvironmentFailure

# A job in the background of a script has SIGINT ignored, and so would every program that a test starts.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    needy = [item for item in items if item.get_closest_marker("docker")]
    if needy and (reason := no_engine()):
        for item in needy:
            item.add_marker(pytest.mark.skip(reason=reason))


def no_engine() -> str:
    """Why no engine can be used; empty where one can."""
    try:
        with connect(timeout_s=QUICK_S):
            return ""
    except EnvironmentFailure as error:
        return str(error)
