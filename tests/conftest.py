"""Skips tests that need a Docker engine, with the reason, and resets signal handlers as in a terminal."""

import signal

import pytest

from harness.environments.docker.docker_engine import QUICK_S, connect
from harness.model.errors import EnvironmentFailure

# A background job of a script ignores SIGINT, and a job under nohup ignores SIGHUP. The programs that a test starts
# would inherit these settings.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    needy = [item for item in items if item.get_closest_marker("docker")]
    if needy and (reason := no_engine()):
        for item in needy:
            item.add_marker(pytest.mark.skip(reason=reason))


def no_engine() -> str:
    """The reason why no Docker engine can be used; empty if one can."""
    try:
        with connect(timeout_s=QUICK_S):
            return ""
    except EnvironmentFailure as error:
        return str(error)
