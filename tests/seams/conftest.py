"""One run for all tests of what it shows."""

import pytest

from tests.seams.smoke import Run, smoke_run


@pytest.fixture(scope="session")
def courier_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Servers of the protocol `parrot`, and the load generator run by the engine `courier`."""
    return smoke_run(tmp_path_factory.mktemp("courier"), "--engine", "courier")
