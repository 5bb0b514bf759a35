"""All decisions before a run starts: the plan for this machine, and every reason not to start."""

import importlib.util
import os
import secrets
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

from harness import catalog
from harness.model.addresses import read_authorities
from harness.model.backplane import BACKPLANES
from harness.model.capacity import CapacityPlan, Vary
from harness.model.child_process import can_import
from harness.model.cluster import REFERENCE_SERVER
from harness.model.component import COMPONENT_KINDS, DATABASE_KIND
from harness.model.environment import ENVIRONMENTS
from harness.model.errors import UsageError
from harness.model.matrix_plan import MatrixPlan
from harness.model.registry import load
from harness.model.sweep_plan import SweepPlan
from harness.observation.calibration import calibrate
from harness.observation.limits import raise_descriptor_limit, read_limits, too_few_descriptors
from harness.planning.capacity_planner import as_step_request, capacity_objections, plan_capacity
from harness.planning.matrix_command import matrix_command
from harness.planning.matrix_planner import MatrixRequest, matrix_objections, plan_matrix
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
    # The run's id names channels, so two runs against one external cluster never share a channel.
    planned = make(
        request, scenario, limits=read_limits(out), calibration=calibrate(), run_id=f"r{secrets.token_hex(4)}"
    )
    return replace(planned, plan=replace(planned.plan, command=repeat_command(scenario_name, planned.plan)))


def prepare_sweep(scenario_name: str, request: Request, *, out: Path) -> PlannedSweep:
    """The sweep for this machine. Raises UsageError with every reason that can be seen before the start, all at
    once."""
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
    made = prepare(scenario_name, as_step_request(request), out=out)
    planned = plan_capacity(made.plan, vary, limit_ms, read_limits(out))
    if planned.shortfalls and not request.force:
        raise UsageError(
            "the first step does not fit this machine:",
            *planned.shortfalls,
            "lower --audience, --clients or --rate, leave them out so that --size fit chooses, or use --force",
        )
    return planned.plan


def prepare_matrix(asked: MatrixRequest, scenario_names: Sequence[str], *, out: Path) -> MatrixPlan:
    """The matrix for this machine. Raises UsageError with every reason that can be seen before the start, all at
    once."""
    scenarios = [catalog.find(name) for name in scenario_names]
    reference = replace(asked.base, backplane=BACKPLANES.default.name)
    if found := [*matrix_objections(asked, scenarios), *_unfit(out, reference)]:
        raise UsageError(*found)
    plan = plan_matrix(
        asked,
        scenarios,
        lacks=_unusable,
        limits=read_limits(out),
        calibration=calibrate(),
        run_id=lambda: f"r{secrets.token_hex(4)}",
        adapter_lines={
            system.backplane: _lines_of_code(BACKPLANES.get(system.backplane).adapter) for system in asked.systems
        },
    )
    command = matrix_command(asked, scenario_names)
    return replace(plan, reference=replace(plan.reference, command=command))


def _lines_of_code(files: Sequence[str]) -> int:
    """Lines of ``files`` of the reference server without blank lines and whole-line comments; 0 if it is not
    installed."""
    found = importlib.util.find_spec(REFERENCE_SERVER)
    roots = found.submodule_search_locations if found else None
    if not roots:
        return 0
    lines = [line for name in files for line in (Path(roots[0]) / name).read_text(encoding="utf-8").splitlines()]
    return sum(bool(line.strip()) and not line.lstrip().startswith("#") for line in lines)


def asks_for_sweep(scenario_name: str, request: Request) -> bool:
    """Whether this request is for a sweep. A request for several server counts is planned, or refused, as a sweep."""
    return bool(request.server_counts) or is_sweep(request, catalog.find(scenario_name))


def refuse_sweep_misfit(planned: PlannedSweep) -> None:
    """Raise UsageError if a run of the sweep does not fit this machine and was not forced."""
    if planned.shortfalls and not planned.plan.widest.forced:
        raise UsageError(
            "does not fit this machine:",
            *planned.shortfalls,
            "lower --servers, --audience, --clients or --rate, leave them out so that --size fit chooses, or insist "
            "with --force",
        )


def refuse_misfit(planned: Planned) -> None:
    """Raise UsageError if the plan does not fit this machine and was not forced."""
    if not planned.shortfalls or planned.plan.forced:
        return
    plan = planned.plan
    raise UsageError(
        f"does not fit this machine: {plan.clients:,} clients × {plan.rate_hz:,g} messages/s × audience "
        f"{plan.audience:,} = {plan.deliveries_per_s:,.0f} deliveries/s takes {plan.need.cores:.1f} cores, "
        f"{plan.need.memory_bytes / 1e9:.1f} GB of memory and {plan.need.descriptors_per_process:,} descriptors a "
        "process",
        *planned.shortfalls,
        "lower --audience, --clients or --rate, leave them out so that --size fit chooses, or use --force",
    )


def _unfit(out: Path, request: Request) -> list[str]:
    """What this machine lacks for a run of any size."""
    raise_descriptor_limit()
    return [*too_few_descriptors(), *unwritable(out), *_unusable(request)]


def unwritable(out: Path) -> list[str]:
    """Why results cannot be written below ``out``, if so."""
    folder = out.absolute()
    try:
        folder.lstat()
    except (FileNotFoundError, NotADirectoryError):
        pass  # it will be made, or the check below finds the obstacle
    except OSError as error:
        return [f"--out {_short(out)}: no folder can have this name ({error.strerror}); choose another with --out"]
    existing = next(parent for parent in (folder, *folder.parents) if os.path.lexists(parent))
    if not existing.is_dir():
        found = "a link to nothing" if existing.is_symlink() and not existing.exists() else "a file"
        return [f"--out {out}: expected a folder, found {found} at {existing}; choose another with --out"]
    if not os.access(existing, os.W_OK | os.X_OK):
        return [f"--out {out}: {existing} cannot be written by this user; choose another folder with --out"]
    try:
        # Permission bits do not show read-only file systems.
        probe = existing / f".harness-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        return [f"--out {out}: {existing} cannot be written ({error.strerror}); choose another folder with --out"]
    return []


def _short(path: Path) -> str:
    text = str(path)
    return text if len(text) <= 80 else f"{text[:80]}…"


def _unusable(request: Request) -> list[str]:
    """What the environment lacks on this machine."""
    environment = ENVIRONMENTS.find(request.environment)
    if environment is None:
        return []
    found: list[str] = load(environment.problems)() if environment.problems else []
    variable = COMPONENT_KINDS.get(DATABASE_KIND).variable
    if request.messages_table and environment.takes_addresses and not os.environ.get(variable):
        found.append(
            f"--messages-table {request.messages_table}: expected the database's address in the variable {variable}, "
            "found none; leave the option out to have the servers asked for their history"
        )
    if request.ca_file and environment.takes_addresses:
        try:
            read_authorities(request.ca_file)
        except UsageError as error:
            found += [f"--ca {objection}" for objection in error.objections]
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
    """The arguments of this sweep. The rate of the weak curve follows from the machine again."""
    single = list(repeat_command(scenario, sweep.widest))
    single[single.index("--servers") + 1] = ",".join(map(str, sweep.server_counts))
    return (*single, "--repeat", str(request.repeat))
