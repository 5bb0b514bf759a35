"""The command line that repeats a run."""

from harness.model.client_protocol import CLIENT_PROTOCOLS
from harness.model.cluster import REFERENCE_SERVER
from harness.model.engine import ENGINES
from harness.model.fault import Unit
from harness.model.plan import Plan


def repeat_command(scenario: str, plan: Plan) -> tuple[str, ...]:
    """The arguments that ask for this very plan again, on whatever machine: every number as planned."""
    arguments = ["run", scenario]
    if not plan.server_urls:
        arguments += ["--servers", str(plan.servers)]
    arguments += ["--clients", str(plan.clients), "--rate", f"{plan.rate_hz:g}", "--duration", f"{plan.duration_s:g}"]
    arguments += ["--audience", "all" if plan.asked_audience == "all" and plan.channels == 1 else str(plan.audience)]
    arguments += ["--size", plan.size, "--environment", plan.environment, "--backplane", plan.backplane]
    arguments += ["--write-path", plan.write_path, "--seed", str(plan.seed)]
    for fault in plan.faults[:1]:
        arguments += ["--fault", fault.kind, "--target", fault.target]
        if fault.until.unit is Unit.AFTER:
            arguments += ["--outage", f"{fault.until.value:g}"]
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
    for url in plan.server_urls:
        arguments += ["--server", url]
    return (*arguments, "--force") if plan.forced else tuple(arguments)
