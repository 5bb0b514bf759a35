"""Request + systems + scenarios + machine → MatrixPlan. Pure; everything that decides a matrix is decided here."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np

from harness.model.backplane import BACKPLANES, WRITE_PATHS, unfit
from harness.model.backplane_setting import problems
from harness.model.errors import UsageError
from harness.model.fault import Target
from harness.model.machine_limits import MachineLimits
from harness.model.matrix_plan import MATRIX, SYNCHRONOUS_COMMIT, Cell, MatrixPlan, System
from harness.model.plan import Calibration, Plan
from harness.model.scenario import Scenario, Size
from harness.model.sweep_plan import Curve
from harness.planning.objections import objections
from harness.planning.planner import plan_run
from harness.planning.request import SWITCH, Request
from harness.planning.sweep_planner import plan_sweep, predict_s, sweep_objections

SERVER_COUNTS = (2, 4, 8)
"""The counts of a scaling scenario in a matrix, if options give none."""
CLIENTS_PER_SERVER = 1_000
"""Clients per server of a scaling scenario in a matrix: backplanes differ in cost per message and server, and with
fewer clients than in a sweep there is time for every alternative."""
SMOKE_S = 3.0
"""Measured seconds of a cell at smoke size: the whole matrix must take only minutes."""
ALL_WRITE_PATHS = (*WRITE_PATHS.names, f"{WRITE_PATHS.default.name}:{SYNCHRONOUS_COMMIT}=off")
MAX_REPEAT = 100
MAX_CELLS = 2_000
SHARE = 0.5
"""Share of the cores that a cell may fill by the prediction. The prediction is for the decided system; others use
more."""
_STREAM = 0x3A
"""Makes the random order independent of other random choices with the same seed."""
_TITLE = "Decision matrix"
_CLAIM = (
    "With every backplane and write path, every acknowledged message reaches every client once and in order. The "
    "alternatives differ in latency, cost, recovery and operation."
)

Lacks = Callable[[Request], Sequence[str]]
"""What this machine lacks for a request, one sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixRequest:
    """The request of a matrix. ``base`` holds the options that all cells share. A backplane is ``NAME`` or
    ``NAME:KEY=VALUE`` with more settings behind ``+``; a write path is ``NAME`` or ``NAME:synchronous_commit=off``."""

    backplanes: tuple[str, ...]
    write_paths: tuple[str, ...]
    repeat: int
    base: Request

    @property
    def systems(self) -> tuple[System, ...]:
        """Every backplane with the first write path; each other write path on the first backplane that it can use. All
        combinations would take hours, and a write path has its effect on any of them."""
        first, *others = self.write_paths
        found = [_system(backplane, first) for backplane in self.backplanes]
        for write_path in others:
            fitting = (_system(backplane, write_path) for backplane in self.backplanes)
            found += list(islice((one for one in fitting if not _unfit(one)), 1))
        return tuple(found)


def _system(backplane: str, write_path: str) -> System:
    name, _, settings = backplane.partition(":")
    path, _, setting = write_path.partition(":")
    return System(
        backplane=name,
        write_path=path,
        settings=tuple(filter(None, settings.split("+"))),
        synchronous_commit=setting.partition("=")[2] if setting else "on",
    )


def _unfit(system: System) -> str:
    write_path, backplane = WRITE_PATHS.find(system.write_path), BACKPLANES.find(system.backplane)
    return unfit(write_path, backplane) if write_path is not None and backplane is not None else ""


def _specification_objections(asked: MatrixRequest) -> Iterator[str]:
    """The objections to the names and settings of backplanes and write paths."""
    for text in asked.backplanes:
        name, _, settings = text.partition(":")
        backplane = BACKPLANES.find(name)
        if backplane is None:
            yield f"--backplanes {text}: expected one of {', '.join(BACKPLANES.names)}"
        else:
            yield from problems(filter(None, settings.split("+")), backplane.settings, name)
    for text in asked.write_paths:
        name, _, setting = text.partition(":")
        if name not in WRITE_PATHS:
            yield f"--write-paths {text}: expected one of {', '.join(WRITE_PATHS.names)}"
        elif setting not in ("", *(f"{SYNCHRONOUS_COMMIT}={value}" for value in SWITCH)):
            yield f"--write-paths {text}: expected {name} or {name}:{SYNCHRONOUS_COMMIT}=on or off"


def matrix_objections(asked: MatrixRequest, scenarios: Sequence[Scenario]) -> tuple[str, ...]:
    """The objections to a requested matrix that hold for every system."""
    if not asked.backplanes or not asked.write_paths:
        return ("--backplanes, --write-paths: expected a name in each",)
    found = list(_specification_objections(asked))
    for what, names in (("--backplanes", asked.backplanes), ("--write-paths", asked.write_paths)):
        if len(set(names)) != len(names):
            found.append(f"{what} {','.join(names)}: expected each name once")
    if len({scenario.name for scenario in scenarios}) != len(scenarios):
        found.append("--scenarios: expected each scenario once")
    if not 1 <= asked.repeat <= MAX_REPEAT:
        found.append(f"--repeat {asked.repeat}: expected a number from 1 to {MAX_REPEAT}")
    elif len(asked.systems) * len(scenarios) * asked.repeat > MAX_CELLS:
        found.append(f"--repeat {asked.repeat}: expected at most {MAX_CELLS:,} cells in all")
    reference = replace(asked.base, backplane=BACKPLANES.default.name)
    for scenario in scenarios:
        request = _of_scenario(reference, scenario)
        stands = sweep_objections(request, scenario) if scenario.sweep else objections(request, scenario)
        found += [f"{scenario.name}: {objection}" for objection in stands]
    return tuple(dict.fromkeys(found))


def plan_matrix(
    asked: MatrixRequest,
    scenarios: Sequence[Scenario],
    *,
    lacks: Lacks,
    limits: MachineLimits,
    calibration: Calibration,
    run_id: Callable[[], str],
    adapter_lines: Mapping[str, int],
) -> MatrixPlan:
    """Every scenario on every system, at sizes that are the same for all systems.

    A size is that of the decided system on half of this machine. Raises UsageError with every objection.
    """
    if found := matrix_objections(asked, scenarios):
        raise UsageError(*found)
    maker = _Maker(limits=limits, calibration=calibration, run_id=run_id, lacks=lacks)
    references = [maker.references(asked.base, scenario) for scenario in scenarios]
    points = [
        maker.cell(asked.base, system, scenario, plan)
        for system in asked.systems
        for scenario, plans in zip(scenarios, references, strict=True)
        for plan in plans
    ]
    running = [point for point in points if point.plan is not None]
    if not running:
        raise UsageError("no cell of this matrix can run here:", *dict.fromkeys(point.because for point in points))
    drawn = list(_drawn(running, asked, run_id))
    left_out = [replace(point, order=len(drawn) + n) for n, point in enumerate(_left_out(points), 1)]
    first = references[0][0]
    return MatrixPlan(
        systems=asked.systems,
        scenarios=tuple(scenario.name for scenario in scenarios),
        cells=(*drawn, *left_out),
        repeat=asked.repeat,
        predicted_s=round(sum(cell.predicted_s for cell in drawn), 1),
        reference=replace(first, scenario=MATRIX, title=_TITLE, claim=_CLAIM, seed=asked.base.seed, pilot=None),
        adapter_lines=adapter_lines,
    )


def _left_out(points: Sequence[Cell]) -> list[Cell]:
    """The cells that cannot run here."""
    return [point for point in points if point.plan is None]


def _drawn(running: Sequence[Cell], asked: MatrixRequest, run_id: Callable[[], str]) -> Iterator[Cell]:
    """Every cell once in each repetition, in a seeded order: a drift over time does not look like a difference between
    systems, and a matrix that is stopped early has whole repetitions."""
    rng = np.random.default_rng((asked.base.seed, _STREAM))
    order = 0
    for repetition in range(1, asked.repeat + 1):
        for index in rng.permutation(len(running)).tolist():
            order += 1
            cell = running[index]
            assert cell.plan is not None
            plan = replace(cell.plan, run_id=run_id(), seed=asked.base.seed + repetition - 1)
            yield replace(cell, order=order, repetition=repetition, plan=plan)


def _of_scenario(base: Request, scenario: Scenario) -> Request:
    """The request for ``scenario`` by ``base``; without pilots, because they would give two systems different sizes."""
    request = replace(base, pilot=False)
    if base.size is Size.SMOKE and base.duration_s is None and not scenario.faults:
        request = replace(request, duration_s=min(SMOKE_S, scenario.smoke.duration_s))
    if scenario.sweep is None:
        return replace(request, server_counts=())
    if base.size is Size.SMOKE:
        return replace(request, servers=None)
    counts = base.server_counts or SERVER_COUNTS
    clients = request.clients or CLIENTS_PER_SERVER * max(counts)
    return replace(request, servers=None, server_counts=counts, clients=clients)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Maker:
    limits: MachineLimits
    calibration: Calibration
    run_id: Callable[[], str]
    lacks: Lacks

    def references(self, base: Request, scenario: Scenario) -> tuple[Plan, ...]:
        """The runs of ``scenario`` on the decided system: one, or one for each server count."""
        request = _of_scenario(replace(base, backplane=BACKPLANES.default.name), scenario)
        careful = replace(self.limits, cores=max(1, round(self.limits.cores * SHARE)))
        if scenario.sweep is None:
            made = plan_run(
                request, scenario, limits=careful, calibration=self.calibration, run_id=self.run_id(), command=()
            )
            return (made.plan,)
        sweep = plan_sweep(request, scenario, limits=careful, calibration=self.calibration, run_id=self.run_id).plan
        plans = (member.plan for member in sweep.of(Curve.CONSTANT))
        return tuple(sorted(plans, key=lambda plan: plan.servers))

    def cell(self, base: Request, system: System, scenario: Scenario, reference: Plan) -> Cell:
        """``reference`` on ``system``, or why it cannot run here. Its place in the order is not decided yet: ``order``
        is 0."""
        request = self._request(base, system, reference)
        servers = _servers(system, reference)
        empty = Cell(
            order=0, system=system, scenario=scenario.name, servers=servers, repetition=1, plan=None, because=""
        )
        if because := _senseless(system, scenario, reference):
            return replace(empty, because=because)
        request = replace(request, servers=servers, target=_target(system, scenario))
        if found := (*objections(request, scenario), *self.lacks(request)):
            return replace(empty, because="; ".join(found))
        made = plan_run(
            request, scenario, limits=self.limits, calibration=self.calibration, run_id=self.run_id(), command=()
        )
        if made.shortfalls and not base.force:
            return replace(empty, because="; ".join(made.shortfalls))
        plan = replace(made.plan, size=reference.size, reductions=reference.reductions, query_log=False)
        return replace(empty, plan=plan, predicted_s=predict_s(plan, self.calibration, self.limits.cores))

    def _request(self, base: Request, system: System, reference: Plan) -> Request:
        """The numbers of ``reference``, which sizing has settled."""
        return replace(
            base,
            size=Size.FULL if reference.size is Size.FIT else reference.size,
            backplane=system.backplane,
            write_path=system.write_path,
            backplane_settings=system.settings,
            synchronous_commit=system.synchronous_commit,
            server_counts=(),
            clients=reference.clients,
            rate_hz=reference.rate_hz,
            audience=reference.audience,
            duration_s=reference.duration_s,
            pilot=False,
        )


def _servers(system: System, reference: Plan) -> int:
    most = BACKPLANES.get(system.backplane).servers_max
    return reference.servers if most is None else min(most, reference.servers)


def _senseless(system: System, scenario: Scenario, reference: Plan) -> str:
    """Why ``scenario`` cannot test ``system``; empty if it can."""
    backplane = BACKPLANES.get(system.backplane)
    if scenario.sweep is not None and backplane.servers_max is not None and reference.servers > backplane.servers_max:
        return f"{backplane.name} works in at most {backplane.servers_max} server"
    if _breaks_carrier(scenario) and backplane.carrier is None:
        return (
            f"{scenario.name} breaks the part that carries messages between servers; {backplane.name} has no such part"
        )
    return ""


def _target(system: System, scenario: Scenario) -> Target | None:
    """The target of the fault, if it is not the scenario's own: in each system the fault breaks the component that
    carries messages."""
    carrier = BACKPLANES.get(system.backplane).carrier
    if not _breaks_carrier(scenario) or carrier is None or carrier is Target.BROKER:
        return None
    return carrier


def _breaks_carrier(scenario: Scenario) -> bool:
    return any(fault.target is Target.BROKER for fault in scenario.faults)
