"""Everything that is settled before a run starts: the plan for this machine, and every reason not to start."""

import os
import platform
import secrets
import sys
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness import catalog
from harness.model.backplane import BACKPLANES
from harness.model.capacity import CapacityPlan, Vary
from harness.model.child_process import can_import
from harness.model.component import COMPONENT_KINDS
from harness.model.environment import ENVIRONMENTS
from harness.model.errors import UsageError
from harness.model.machine_limits import MachineLimits
from harness.model.registry import load
from harness.model.sweep_plan import SweepPlan
from harness.observation.calibration import calibrate
from harness.observation.limits import raise_descriptor_limit, read_limits, too_few_descriptors
from harness.planning.capacity_planner import as_step_request, capacity_objections, plan_capacity
from harness.planning.objections import objections
from harness.planning.planner import Planned, plan_run
from harness.planning.repeat_command import repeat_command
from harness.planning.request import Request
from harness.planning.sweep_planner import PlannedSweep, is_sweep, plan_count, plan_sweep, sweep_objections


def prepare(scenario_name: str, request: Request, *, out: Path) -> Planned:
    """The plan for this machine. Raises UsageError with every reason that can be seen before the start, all at once."""
    scenario = catalog.find(scenario_name)
    found = [*objections(request, scenario), *sweep_objections(request, scenario)]
    found += _unfit(out, request)
    if found:
        raise UsageError(*found)
    make = partial(plan_run, command=()) if scenario.sweep is None else plan_count
    # The run's id names channels, so two runs against one external cluster never meet.
    planned = make(
        request, scenario, limits=read_limits(out), calibration=calibrate(), run_id=f"r{secrets.token_hex(4)}"
    )
    return replace(planned, plan=replace(planned.plan, command=repeat_command(scenario_name, planned.plan)))


def prepare_sweep(scenario_name: str, request: Request, *, out: Path) -> PlannedSweep:
    """The sweep for this machine. Raises UsageError with every reason that can be seen before the start, all at once."""
    scenario = catalog.find(scenario_name)
    if found := [*sweep_objections(request, scenario), *_unfit(out, request)]:
        raise UsageError(*found)
    planned = plan_sweep(
        request,
        scenario,
        limits=read_limits(out),
        calibration=calibrate(),
        run_id=lambda: f"r{secrets.token_hex(4)}",
    )
    sweep = planned.plan
    members = tuple(
        replace(member, plan=replace(member.plan, command=repeat_command(scenario_name, member.plan)))
        for member in sweep.members
    )
    command = _sweep_command(scenario_name, sweep, request)
    return replace(planned, plan=replace(sweep, members=members, widest=replace(sweep.widest, command=command)))


def prepare_capacity(scenario_name: str, request: Request, *, vary: Vary, limit_ms: float, out: Path) -> CapacityPlan:
    """The capacity search for this machine. Raises UsageError with every reason that can be seen before the start."""
    against = capacity_objections(request, vary, limit_ms, is_sweep=asks_for_sweep(scenario_name, request))
    if against:
        raise UsageError(*against)
    planned = prepare(scenario_name, as_step_request(request), out=out)
    search = plan_capacity(planned.plan, vary, limit_ms, read_limits(out))
    command = ("capacity", *planned.plan.command[1:], "--vary", vary, "--limit-ms", f"{limit_ms:g}")
    return replace(search, plan=replace(search.plan, command=command))


def asks_for_sweep(scenario_name: str, request: Request) -> bool:
    """Whether this request is for a sweep; one for several server counts is one to be refused as such, if need be."""
    return bool(request.server_counts) or is_sweep(request, catalog.find(scenario_name))


def refuse_sweep_misfit(planned: PlannedSweep) -> None:
    """Raise UsageError where a run of the sweep does not fit this machine and was not forced."""
    if planned.shortfalls and not planned.plan.widest.forced:
        raise UsageError(
            "does not fit this machine:",
            *planned.shortfalls,
            "lower --servers, --audience, --clients or --rate, leave them out so that --size fit chooses, or insist with "
            "--force",
        )


def refuse_misfit(planned: Planned) -> None:
    """Raise UsageError where the plan does not fit this machine and was not forced."""
    if not planned.shortfalls or planned.plan.forced:
        return
    plan = planned.plan
    raise UsageError(
        f"does not fit this machine: {plan.clients:,} clients × {plan.rate_hz:,g} messages/s × audience {plan.audience:,} "
        f"= {plan.deliveries_per_s:,.0f} deliveries/s takes {plan.need.cores:.1f} cores, "
        f"{plan.need.memory_bytes / 1e9:.1f} GB of memory and {plan.need.descriptors_per_process:,} descriptors a process",
        *planned.shortfalls,
        "lower --audience, --clients or --rate, leave them out so that --size fit chooses, or insist with --force",
    )


def _unfit(out: Path, request: Request) -> list[str]:
    """What this machine lacks, whatever the size of the run."""
    raise_descriptor_limit()
    return [*too_few_descriptors(), *_unwritable(out), *_unusable(request)]


def _unwritable(out: Path) -> list[str]:
    """Why results cannot be written below ``out``, if so."""
    folder = out.absolute()
    existing = next(parent for parent in (folder, *folder.parents) if parent.exists())
    if not existing.is_dir():
        return [f"--out {out}: expected a folder, found a file at {existing}; choose another with --out"]
    if not os.access(existing, os.W_OK | os.X_OK):
        return [f"--out {out}: {existing} cannot be written by this user; choose another folder with --out"]
    try:
        # Permission bits do not tell about read-only file systems.
        probe = existing / f".harness-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [f"--out {out}: {existing} cannot be written ({error.strerror}); choose another folder with --out"]
    return []


def _unusable(request: Request) -> list[str]:
    """What the environment lacks on this machine."""
    environment = ENVIRONMENTS.find(request.environment)
    if environment is None:
        return []
    found: list[str] = load(environment.problems)() if environment.problems else []
    backplane = BACKPLANES.find(request.backplane)
    kind = COMPONENT_KINDS.find(backplane.broker) if backplane is not None and backplane.broker else None
    if kind is not None and environment.name in kind.problems:
        found = [*found, *load(kind.problems[environment.name])()]
    return [*found, *(_missing_module(request.server_module) if environment.takes_server_module else [])]


def _missing_module(name: str) -> list[str]:
    folder = Path.cwd()
    if can_import(name, folder):
        return []
    return [f"--server-module {name}: expected a Python module that is installed or lies in {folder}, found none"]


def _sweep_command(scenario: str, sweep: SweepPlan, request: Request) -> tuple[str, ...]:
    """The arguments that ask for this sweep again. The weak curve's rate follows from the machine, as the first time."""
    single = list(repeat_command(scenario, sweep.widest))
    single[single.index("--servers") + 1] = ",".join(map(str, sweep.server_counts))
    return (*single, "--repeat", str(request.repeat))


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One thing that was looked at: what was found, whether it is enough for Scenario A's own clients, what to do."""

    what: str
    found: str
    good: bool
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    limits: MachineLimits
    advice: tuple[Advice, ...]
    able: bool
    """the embedded environment can run here at some size"""


def _docker_advice() -> Advice:
    """The engine is for --environment docker alone: without one everything else still works."""
    from harness.environments.docker.image import diagnose

    found, advice = diagnose()
    return Advice(what="docker", found=found, good=not advice, advice=advice)


def _optional_programs() -> list[Advice]:
    """What only some backplanes need: without it everything else still works."""
    environment = ENVIRONMENTS.default.name
    found = []
    for kind in COMPONENT_KINDS:
        if kind.optional and environment in kind.problems:
            missing: list[str] = load(kind.problems[environment])()
            found.append(
                Advice(
                    what=kind.name,
                    found="missing" if missing else "can be started",
                    good=not missing,
                    advice=" ".join(missing),
                )
            )
    return found


def examine(out: Path) -> Diagnosis:
    """Look at this machine with the eyes of Scenario A: 10,000 clients on 4 servers."""
    limits = read_limits(out)
    missing = load(ENVIRONMENTS.default.problems)()
    scarce = too_few_descriptors()
    unwritable = _unwritable(out)
    advice = (
        Advice(
            what="python",
            found=f"{sys.version.split()[0]} on {platform.system()} {platform.machine()}",
            good=True,
            advice="",
        ),
        Advice(
            what="server programs",
            found="missing" if missing else "database and broker from Python wheels",
            good=not missing,
            advice=" ".join(missing),
        ),
        Advice(
            what="results folder",
            found=str(out),
            good=not unwritable,
            advice=" ".join(unwritable),
        ),
        Advice(
            what="cores",
            found=str(limits.cores),
            good=limits.cores >= 2,
            advice="one core holds small runs only; servers, database and load generator share it",
        ),
        Advice(
            what="memory",
            found=f"{limits.memory_available_bytes / 1e9:.1f} GB available",
            good=limits.memory_available_bytes >= 3e9,
            advice="10,000 clients on 4 servers take about 2 GB; --size fit lowers the clients",
        ),
        Advice(
            what="descriptors",
            found=f"{limits.nofile_hard:,} in one process (hard limit)",
            good=limits.nofile_hard >= 16_000,
            advice=" ".join(scarce)
            or "raise the hard limit (ulimit -Hn, LimitNOFILE=) to 16,000 or more for 10,000 clients on one server",
        ),
        Advice(
            what="ports",
            found=f"{limits.ephemeral_ports:,} for connections to one server",
            good=limits.ephemeral_ports >= 12_000,
            advice="widen net.ipv4.ip_local_port_range, e.g. to 1024 65535",
        ),
        Advice(
            what="listen backlog",
            found=f"{limits.somaxconn:,}",
            good=limits.somaxconn >= 1_024,
            advice="raise net.core.somaxconn to 4096: connecting is retried but slow with a short queue",
        ),
        Advice(
            what="disk",
            found=f"{limits.disk_free_bytes / 1e9:.1f} GB free for results",
            good=limits.disk_free_bytes >= 2e9,
            advice="a run of 60 s at 20,000 deliveries/s records about 0.1 GB; PostgreSQL needs 1 GB beside it",
        ),
        *_optional_programs(),
        _docker_advice(),
    )
    return Diagnosis(limits=limits, advice=advice, able=not missing and not unwritable and not scarce)
