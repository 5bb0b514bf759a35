from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.reference_server import stack
from tests.reference_server.stack import Cluster, Postgres


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    with stack.folder() as path:
        yield path


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    """A PostgreSQL that no test breaks."""
    with stack.running_postgres() as postgres:
        yield postgres


@pytest.fixture(scope="session")
def cluster(postgres: Postgres) -> Iterator[Cluster]:
    """Two servers and a Valkey, for tests that do not break them. Each test uses its own channels."""
    with stack.running_cluster(postgres) as cluster:
        yield cluster


@pytest.fixture
def new_cluster(postgres: Postgres) -> Iterator[Callable[..., Cluster]]:
    """Makes clusters that the test may break. They use the shared PostgreSQL, unless the test gives another one."""
    with ExitStack() as running:

        def make(own_postgres: Postgres | None = None, **settings: Any) -> Cluster:
            return running.enter_context(stack.running_cluster(own_postgres or postgres, **settings))

        yield make


@pytest.fixture(scope="session")
def breakable_postgres() -> Iterator[Postgres]:
    """A second PostgreSQL, for the tests that break one."""
    with stack.running_postgres() as postgres:
        yield postgres


@pytest.fixture
def own_postgres(breakable_postgres: Postgres) -> Iterator[Postgres]:
    """A PostgreSQL that the test may break, with its own empty database."""
    breakable_postgres.use_new_database()
    yield breakable_postgres
    breakable_postgres.repair()
