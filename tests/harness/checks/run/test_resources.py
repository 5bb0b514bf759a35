"""What a broker did, from samples."""

from dataclasses import replace
from typing import Any

import pytest

from harness.checks.run.resources import broker
from tests.harness.plans import a_plan


def samples(own: dict[str, float], process: dict[str, float]) -> list[dict[str, Any]]:
    """Two samples a second apart: nothing yet, then these counters of the broker and of its process."""
    return [
        {"at_ns": 0, "broker": dict.fromkeys(own, 0.0), "processes": {"broker": dict.fromkeys(process, 0.0)}},
        {"at_ns": 1_000_000_000, "broker": own, "processes": {"broker": process}},
    ]


@pytest.mark.parametrize(
    ("own", "process", "expected"),
    [
        ({"cpu_s": 0.25}, {"cpu_s": 0.5}, 0.25),
        ({"commands": 10.0}, {"cpu_s": 0.5}, 0.5),
        ({"commands": 10.0}, {}, None),
    ],
)
def test_a_brokers_cpu(own: dict[str, float], process: dict[str, float], expected: float | None) -> None:
    """What it says itself; where its kind does not, what its process used; else unknown, never zero."""
    found = broker(replace(a_plan(), backplane="redis"), samples(own, process))
    assert found is not None
    assert found.cpu_cores == expected


def test_what_a_kind_of_broker_does_not_count_is_absent() -> None:
    """A check of it is UNKNOWN then; zero bytes would pass."""
    found = broker(replace(a_plan(), backplane="kafka"), samples({"commands": 10.0}, {}))
    assert found is not None
    assert found.commands_hz == 10.0
    assert found.net_out_bytes_hz is None
