"""All checks of a run, in the order of their findings: safety, then performance, then validity.

To add a check, add a `Check` to the tuple of a module and, for a new module, its tuple here. Then add its row to
docs/results.md.
"""

from harness.checks.check import Case, Check
from harness.checks.run import (
    delivery,
    delivery_rate,
    durability,
    gaps,
    interruptions,
    latency_limits,
    machine_validity,
    placement,
    protocol_violations,
    reconnection,
    refusal,
    resilience,
    server_clocks,
    slow_consumers,
    validity,
)
from harness.model.registry import Registry

CHECKS: Registry[Check[Case]] = Registry(
    "check",
    (
        *delivery.CHECKS,
        *durability.CHECKS,
        *protocol_violations.CHECKS,
        *resilience.CHECKS,
        *reconnection.CHECKS,
        *refusal.CHECKS,
        *slow_consumers.CHECKS,
        *latency_limits.CHECKS,
        *delivery_rate.CHECKS,
        *validity.CHECKS,
        *machine_validity.CHECKS,
        *gaps.CHECKS,
        *placement.CHECKS,
        *interruptions.CHECKS,
        *server_clocks.CHECKS,
    ),
)
