"""What machine.json records about the machine."""

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from harness.observation.machine import describe_machine


def test_the_versions_of_all_required_packages_are_recorded(tmp_path: Path) -> None:
    """The list of packages follows from the distribution's own requirements. A part of the cluster without an address
    has no settings."""
    cluster: Any = SimpleNamespace(servers=(), versions={}, database=None, broker=None)
    found = asyncio.run(describe_machine(cluster, tmp_path))
    assert {"numpy", "uvloop", "redis", "uvicorn"} <= set(found["packages"])
    assert all(version[0].isdigit() for version in found["packages"].values())
    assert isinstance(found["virtualisation"], str)
    assert found["cluster"]["broker"] == found["cluster"]["database"] == {}
