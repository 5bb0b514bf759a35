"""The command line that repeats a run, or a capacity search."""

from harness.model.backplane_setting import in_words
from harness.model.capacity import Vary
from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import REFERENCE_SERVER
from harness.model.engine import ENGINES
from harness.model.fault import Unit
from harness.model.plan import Plan


def repeat_command(scenario: str, plan: Plan, *, insists: bool = False) -> tuple[str, ...]:
    """The arguments of exactly this plan, on any machine: every number as planned. ``insists``: with ``--force``,
    because a machine may carry this load although the prediction says no.
    """
    arguments = ["run", scenario]
    if not plan.server_urls:
        arguments += ["--servers", str(plan.servers)]
    arguments += ["--clients", str(plan.clients), "--rate", exactly(plan.rate_hz)]
    arguments += ["--duration", exactly(plan.duration_s)]
    arguments += ["--audience", "all" if plan.is_for_all else str(plan.audience)]
    arguments += ["--size", plan.size, "--environment", plan.environment, "--backplane", plan.backplane]
    arguments += ["--write-path", plan.write_path, "--seed", str(plan.seed)]
    for name, value in plan.backplane_settings if not plan.server_urls else ():
        arguments += ["--backplane-setting", f"{name}={in_words(value)}"]
    for fault in plan.faults[:1]:
        arguments += ["--fault", fault.kind, "--target", fault.target]
        if fault.until.unit is Unit.AFTER:
            arguments += ["--outage", exactly(fault.until.value)]
    if plan.recovery != "automatic":
        arguments += ["--recovery", plan.recovery]
    if plan.placement != "spread":
        arguments += ["--placement", plan.placement]
    if not plan.synchronous_commit:
        arguments += ["--synchronous-commit", "off"]
    if plan.server_module != REFERENCE_SERVER:
        arguments += ["--server-module", plan.server_module]
    if plan.messages_table not in ("", "messages"):
        arguments += ["--messages-table", plan.messages_table]
    if plan.protocol != CLIENT_PROTOCOLS.default.name:
        arguments += ["--protocol", plan.protocol]
    if plan.engine != ENGINES.default.name:
        arguments += ["--engine", plan.engine]
    if plan.fail_fast:
        arguments.append("--fail-fast")
    for url in plan.server_urls:
        arguments += ["--server", url]
    if plan.ca_file:
        arguments += ["--ca", plan.ca_file]
    if plan.insecure:
        arguments += ["--insecure"]
    return (*arguments, "--force") if plan.forced or insists else tuple(arguments)


def capacity_command(plan: Plan, vary: Vary, limit_ms: float) -> tuple[str, ...]:
    """The arguments of the capacity search whose first step is ``plan``."""
    _, *arguments = repeat_command(plan.scenario, plan)
    return ("capacity", *arguments, "--vary", vary.value, "--limit-ms", exactly(limit_ms))


def exactly(number: float) -> str:
    """The shortest text that is read as ``number`` again."""
    return str(int(number)) if number == int(number) else repr(number)
