"""The values that must be equal so that two runs can be compared, by name, and a digest of them."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from harness import __version__
from harness.model.plan import Plan
from harness.recording.format import VERSION

NOT_KNOWN = "not known"


def plan_parts(plan: Plan) -> dict[str, str]:
    """The load and the architecture, as planned. The seed, limits, the size's name and the server's module are not in
    it: they do not change the load, or they are the subject of the comparison."""
    # The seed decides which part a fault hits.
    faults = [str(replace(fault, times=None, parts=())) for fault in plan.faults]
    return {
        "scenario": plan.scenario,
        "servers": str(plan.servers),
        "clients": str(plan.clients),
        "rate_hz": f"{plan.rate_hz:g}",
        "audience": str(plan.audience),
        "channels": str(plan.channels),
        "duration_s": f"{plan.duration_s:g}",
        "warm_up_s": f"{plan.warm_up_s:g}",
        "text_bytes": str(plan.text_bytes),
        "load_workers": str(plan.workers),
        "environment": plan.environment,
        "backplane": plan.backplane,
        "write_path": plan.write_path,
        "recovery": plan.recovery,
        "faults": "; ".join(faults) or "none",
        "protocol": plan.protocol,
        "engine": plan.engine,
        "addresses": ", ".join(plan.server_urls) or "none",
        "statement_log": "on" if plan.query_log else "off",
        "recording_version": str(VERSION),
    }


def noted_parts(plan: Plan, machine: Mapping[str, Any]) -> dict[str, str]:
    """The values that may differ between compared runs, and are shown."""
    return {
        "server_module": plan.server_module,
        "seed": str(plan.seed),
        "size": str(plan.size),
        "harness": str(machine.get("harness") or __version__),
        "source": str(machine.get("source") or NOT_KNOWN),
    }


def machine_parts(machine: Mapping[str, Any]) -> dict[str, str]:
    """The machine by machine.json. The memory counts in whole GiB: a virtual machine's differs a little from boot to
    boot."""
    limits = machine.get("limits")
    memory = machine.get("memory_bytes")
    kernel = re.match(r"(\S+) (\d+\.\d+)", str(machine.get("system", "")))
    python = re.match(r"\d+\.\d+", str(machine.get("python", "")))
    return {
        "cpu": _known(machine.get("cpu")),
        "cores": _known(limits.get("cores") if isinstance(limits, Mapping) else None),
        "memory_gib": _known(round(memory / 2**30) if isinstance(memory, int | float) else None),
        "kernel": f"{kernel[1]} {kernel[2]}" if kernel else NOT_KNOWN,
        "virtualisation": _known(machine.get("virtualisation")),
        "python": python[0] if python else NOT_KNOWN,
    }


def _known(value: object) -> str:
    return NOT_KNOWN if value is None or value == "" else str(value)


def key_of(parts: Mapping[str, str]) -> str:
    """Twelve hexadecimal digits, the same for the same parts."""
    text = json.dumps(dict(sorted(parts.items())), ensure_ascii=True)
    return hashlib.sha256(text.encode()).hexdigest()[:12]
