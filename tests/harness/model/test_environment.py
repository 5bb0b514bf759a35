from harness.model.environment import ENVIRONMENTS
from harness.model.registry import load


def test_every_opener_can_be_imported() -> None:
    """The registry names functions by import path. A wrong path is found here and not in a run."""
    assert ENVIRONMENTS.names
    for environment in ENVIRONMENTS:
        assert callable(load(environment.opener))
        assert not environment.problems or callable(load(environment.problems))


def test_only_what_the_harness_owns_is_broken() -> None:
    """The harness changes only what it owns: it injects no fault into an external cluster."""
    for environment in ENVIRONMENTS:
        assert environment.owns_components or not environment.faults
        assert environment.owns_components != environment.takes_addresses
