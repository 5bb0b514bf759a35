"""One run, shared by the tests that look at it."""

import pytest

from tests.seams.smoke import Run, smoke_run


@pytest.fixture(scope="session")
def courier_run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run with the engine `courier`, against servers with the protocol `parrot`."""
    return smoke_run(tmp_path_factory.mktemp("courier"), "--engine", "courier")
