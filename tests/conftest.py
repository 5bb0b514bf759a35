"""Sets the order of the tests, skips tests that need a Docker engine, and resets signal handlers as in a terminal."""

import os
import signal

import pytest

from harness.environments.docker.docker_engine import QUICK_S, connect
from harness.model.errors import EnvironmentFailure

# A background job of a script ignores SIGINT, and a job under nohup ignores SIGHUP. The programs that a test starts
# would inherit these settings.
signal.signal(signal.SIGINT, signal.default_int_handler)
signal.signal(signal.SIGHUP, signal.SIG_DFL)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if "PYTEST_XDIST_WORKER" in os.environ:
        items[:] = spread(
            [item for item in items if item.get_closest_marker("integration")],
            [item for item in items if not item.get_closest_marker("integration")],
        )
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


def spread(waiting: list[pytest.Item], busy: list[pytest.Item]) -> list[pytest.Item]:
    """Both lists in their order, each spread evenly over the whole.

    A test that starts processes waits most of its time. All other tests compute. The workers of pytest-xdist take the
    tests in this order, so computing tests run beside waiting tests. In the order of the files all workers often wait
    at the same time.
    """
    places = [((place + 0.5) / len(part), item) for part in (waiting, busy) for place, item in enumerate(part)]
    return [item for _, item in sorted(places, key=lambda pair: pair[0])]
