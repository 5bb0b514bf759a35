"""The registry of component kinds."""

from importlib.util import find_spec

import pytest

from harness.components import adapter_of
from harness.model.backplane import BACKPLANES
from harness.model.component import COMPONENT_KINDS, DATABASE_KIND, ComponentKind, Role
from harness.model.environment import ENVIRONMENTS, Environment
from harness.model.registry import load


@pytest.mark.parametrize("kind", tuple(COMPONENT_KINDS), ids=lambda kind: kind.name)
def test_everything_that_an_entry_names_exists(kind: ComponentKind) -> None:
    """Adapters and starters are import paths. Without this test a wrong path would show only when a run starts."""
    assert adapter_of(kind.name).errors
    for environment, starter in kind.starters.items():
        assert environment in ENVIRONMENTS
        assert callable(load(starter))
    assert kind.optional or all(find_spec(module) for module in kind.packages)
    for environment, problems in kind.problems.items():
        assert environment in kind.starters
        assert isinstance(load(problems)(), list)
    assert kind.example.startswith(kind.schemes[0])


def test_the_database_has_the_role_of_a_database() -> None:
    assert COMPONENT_KINDS.get(DATABASE_KIND).role is Role.DATABASE


def test_every_backplane_needs_a_broker_that_exists_or_none() -> None:
    for backplane in BACKPLANES:
        assert backplane.broker is None or COMPONENT_KINDS.get(backplane.broker).role is Role.BROKER


@pytest.mark.parametrize("environment", tuple(ENVIRONMENTS), ids=lambda environment: environment.name)
def test_every_environment_can_be_opened(environment: Environment) -> None:
    """The opener and the problems are import paths. An environment that breaks components owns them."""
    found = environment
    assert callable(load(found.opener))
    assert not found.problems or isinstance(load(found.problems)(), list)
    assert found.owns_components or not found.faults
