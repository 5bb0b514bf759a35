import ipaddress

import pytest

from harness.environments.docker.network import _assign
from harness.model.errors import EnvironmentFailure


def test_each_part_has_an_address_of_its_own() -> None:
    """No part gets the address of the network's gateway."""
    found = _assign(ipaddress.ip_network("10.1.0.0/29"), "10.1.0.1", ("database", "broker", "server-1"))
    assert found == {"database": "10.1.0.2", "broker": "10.1.0.3", "server-1": "10.1.0.4"}


def test_a_subnet_that_is_too_small_is_refused() -> None:
    """The message says what to do."""
    with pytest.raises(EnvironmentFailure, match="expected room for 9 containers; widen `default-address-pools`"):
        _assign(ipaddress.ip_network("10.1.0.0/29"), "10.1.0.1", tuple("abcdefghi"))
