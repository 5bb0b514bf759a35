"""`harness compare --against`: two builds of a server run in turn on this machine within an hour; then they are
compared."""

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from harness import console
from harness.checkout import checked_out
from harness.compare_console import FAMILY, Wishes, publish
from harness.comparison.compare import compare
from harness.comparison.turns import Side, turns
from harness.exit_codes import ExitCode
from harness.experiment import run_experiment
from harness.history.folders import entries_of
from harness.history.history_file import read_history
from harness.model.cluster import SERVER_IMAGE
from harness.model.environment import ENVIRONMENTS
from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.history import HistoryEntry
from harness.model.plan import Plan
from harness.recording.format import RUNS
from harness.recording.writer import fill_folder, new_folder

if TYPE_CHECKING:
    from harness.planning.request import Request

MODULE = "module:"


@dataclass(frozen=True, slots=True, kw_only=True)
class Builds:
    """The two sides: ``against`` is BASE, ``revision`` RUN; None: the installed server."""

    against: str
    revision: str | None
    project: Path
    rounds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Build:
    """One build of the server: its module or image, the folder of its packages (None: those that are installed), and
    its revision."""

    name: str
    module: str
    packages: Path | None = None
    commit: str = ""


def compare_builds(targets: Sequence[str], request: "Request", builds: Builds, wishes: Wishes) -> ExitCode:
    """Raises UsageError before anything starts if the request is not possible."""
    from harness.machine_lock import hold_machine

    margins = wishes.refuse_unknown()
    plan = _plan(targets, request, builds, wishes.results)
    with contextlib.ExitStack() as stack:
        sides = {
            Side.BASE: stack.enter_context(_build(builds.against, builds.project, plan.server_module)),
            Side.RUN: stack.enter_context(_build(builds.revision, builds.project, plan.server_module)),
        }
        folder = new_folder(wishes.results / FAMILY, _fill)
        stack.enter_context(hold_machine(forced=request.force))
        entries = _take_turns(plan, builds.rounds, sides, folder, wishes.results)
    comparison = compare(
        entries[Side.BASE],
        entries[Side.RUN],
        read_history(wishes.results).entries,
        base_name=sides[Side.BASE].name,
        run_name=sides[Side.RUN].name,
        margins_percent=margins,
        only=wishes.only,
        across=wishes.across,
        # A disturbance of the machine within the hour affects both builds equally.
        doubtful=True,
        interleaved=True,
    )
    return publish(comparison, wishes, folder)


def _plan(targets: Sequence[str], request: "Request", builds: Builds, results: Path) -> Plan:
    from harness.preflight import asks_for_sweep, prepare, refuse_misfit

    if len(targets) != 1:
        raise UsageError(f"compare --against: expected one SCENARIO, found {len(targets)} arguments")
    if asks_for_sweep(targets[0], request):
        raise UsageError(
            "compare --against: expected a scenario of single runs, found a sweep; give one number of --servers"
        )
    for reference in (builds.against, builds.revision or ""):
        _refuse_misplaced(reference, request.environment)
    planned = prepare(targets[0], request, out=results)
    if planned.plan.pilot is not None:
        raise UsageError(
            "compare --against: all runs need the same numbers, and a pilot would choose them again each time: add "
            "--no-pilot, or --size smoke, or --size full"
        )
    refuse_misfit(planned)
    return planned.plan


def _refuse_misplaced(reference: str, environment: str) -> None:
    """Raise UsageError if the environment cannot run such a build. Empty: the installed server, which every environment
    can run."""
    if reference.startswith(SERVER_IMAGE):
        takers = [each.name for each in ENVIRONMENTS if each.takes_server_image]
        if ":" not in reference.removeprefix(SERVER_IMAGE):
            raise UsageError(f"compare --against: expected {SERVER_IMAGE}NAME:TAG, found {reference!r}")
    elif reference:
        takers = [each.name for each in ENVIRONMENTS if each.takes_server_module]
    else:
        return
    if environment not in takers:
        raise UsageError(
            f"compare --against: {reference!r} goes with --environment {' or '.join(takers)}, not with {environment}"
        )


@contextlib.contextmanager
def _build(reference: str | None, project: Path, module: str) -> Iterator[Build]:
    """The build that ``reference`` names, as long as the block lasts."""
    if reference is None:
        yield Build(name="the installed server", module=module)
    elif reference.startswith(SERVER_IMAGE):
        yield Build(name=reference.removeprefix(SERVER_IMAGE), module=reference)
    elif reference.startswith(MODULE):
        name = reference.removeprefix(MODULE)
        yield Build(name=name, module=name)
    else:
        with checked_out(project, reference, module) as found:
            yield Build(name=reference, module=module, packages=found.folder, commit=found.commit)


def _fill(folder: Path) -> None:
    folder.mkdir()
    (folder / RUNS).mkdir()


def _take_turns(
    plan: Plan, rounds: int, sides: Mapping[Side, Build], folder: Path, results: Path
) -> dict[Side, list[HistoryEntry]]:
    """Run each build once a round. Raises EnvironmentFailure if a run could not be made: one run of a pair is not
    enough for a comparison."""
    entries: dict[Side, list[HistoryEntry]] = {Side.BASE: [], Side.RUN: []}
    order = turns(rounds, plan.seed)
    for number, (round_, side) in enumerate(order, 1):
        build = sides[side]
        print(f"run {number} of {len(order)}: round {round_}, {side}: {build.name}", file=sys.stderr, flush=True)
        mine = replace(plan, server_module=build.module, run_id=f"{plan.run_id}b{number}")
        path = folder / RUNS / f"{number:02}-{side}"
        fill_folder(path, mine)
        with _search_path(build.packages), console.watching() as watch:
            outcome = run_experiment(mine, out=results, watch=watch, folder=path)
        if outcome.exit_code is ExitCode.INTERRUPTED:
            raise KeyboardInterrupt
        if outcome.verdict is None or outcome.exit_code is ExitCode.ENVIRONMENT:
            raise EnvironmentFailure(f"{path.name} could not be run: {outcome.why or 'see its logs'} ({path})")
        labels = {"build": build.name, "round": str(round_)}
        entries[side] += entries_of(path, results, labels=labels, revision=build.commit)
    return entries


@contextlib.contextmanager
def _search_path(packages: Path | None) -> Iterator[None]:
    """Child processes find ``packages`` before the installed ones. The harness's own packages are not among them, so
    its processes are the same for both builds."""
    if packages is None:
        yield
        return
    before = os.environ.get("PYTHONPATH")
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, (str(packages), before)))
    try:
        yield
    finally:
        if before is None:
            del os.environ["PYTHONPATH"]
        else:
            os.environ["PYTHONPATH"] = before
