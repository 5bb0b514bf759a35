"""The figures of a broker, from samples."""

from dataclasses import replace
from typing import Any

import pytest

from harness.checks.run.resources import broker
from tests.harness.plans import a_plan


def samples(own: dict[str, float], process: dict[str, float]) -> list[dict[str, Any]]:
    """Two samples, one second apart: first all counters are 0, then they are these of the broker and of its process."""
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
    """The broker's own counter is used. If this kind of broker has none, the CPU of its process is used; else the CPU
    is unknown, never zero."""
    found = broker(replace(a_plan(), backplane="redis"), samples(own, process))
    assert found is not None
    assert found.cpu_cores == expected


def test_what_a_kind_of_broker_does_not_count_is_absent() -> None:
    """A check of an absent figure is UNKNOWN. A figure of zero bytes would pass."""
    found = broker(replace(a_plan(), backplane="kafka"), samples({"commands": 10.0}, {}))
    assert found is not None
    assert found.commands_hz == 10.0
    assert found.net_out_bytes_hz is None
