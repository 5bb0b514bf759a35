"""The help of an option names what the registries hold."""

from typing import Any, get_args

import pytest

from harness import options
from harness.model.backplane import BACKPLANES, WRITE_PATHS
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.engine import ENGINES
from harness.model.environment import ENVIRONMENTS
from harness.model.registry import Registry


def help_of(option: Any) -> str:
    return str(get_args(option)[1].help)


@pytest.mark.parametrize(
    ("option", "registry"),
    [
        (options.Backplane, BACKPLANES),
        (options.WritePath, WRITE_PATHS),
        (options.Environment, ENVIRONMENTS),
        (options.Engine, ENGINES),
        (options.ClientProtocol, CLIENT_PROTOCOLS),
    ],
)
def test_every_member_is_explained(option: Any, registry: Registry[Any]) -> None:
    """A new member needs no change of the options."""
    assert [name for name in registry.names if f"{name}: " not in help_of(option)] == []


def test_every_setting_of_a_backplane_is_named() -> None:
    """A link can be broken on some backplanes only, and the help says on which."""
    for backplane in BACKPLANES:
        for setting in backplane.settings:
            assert str(setting) in help_of(options.BackplaneSettings)
        assert (f"{backplane.name}: " in help_of(options.TargetOption)) == (backplane.breakable is not None)
