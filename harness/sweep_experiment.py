"""The course of a sweep: one run after the other, each with its own recording, then one verdict and one report over
all. If a run fails or is undecided, the sweep continues with the other runs. An environment that cannot be started, or
Ctrl-C, ends it, and the finished runs are judged.
"""

import contextlib
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness import experiment, judging
from harness.ending import COMPLETE, INTERRUPTED, Ending
from harness.exit_codes import ExitCode, of_status
from harness.experiment import Outcome
from harness.model.errors import HarnessError, UsageError
from harness.model.finding import Verdict
from harness.model.sweep_plan import Member, SweepPlan
from harness.model.watch import Watch
from harness.recording.reader import Recording, read_events, read_machine, read_queries, read_verdict
from harness.recording.seal import end_recording, require_seal
from harness.recording.sweep_folder import (
    create_member_folder,
    create_sweep_folder,
    member_folder,
    read_sweep,
)
from harness.recording.writer import Journal, write_verdict

if TYPE_CHECKING:
    from harness.checks.sweep.member import Ran

Watching = Callable[[Member], AbstractContextManager[Watch]]
"""Makes the progress display of one run."""


def run_sweep(sweep: SweepPlan, *, out: Path, watching: Watching, say: Callable[[str], None]) -> Outcome:
    """Run every member of ``sweep`` in its order, in a new folder below ``out``, then judge and render the whole.

    Raises EnvironmentFailure if even the folder cannot be made.
    """
    folder = create_sweep_folder(out, sweep)
    with Journal(folder) as journal:
        ending = _run_members(sweep, folder, journal, watching, say)
        with contextlib.suppress(OSError):
            end_recording(folder, journal, how=ending.how, why=ending.why)
    verdict: Verdict | None = None
    try:
        verdict = _judge_members(folder)
        render_sweep(folder)
    except HarnessError as error:
        if ending.exit_code is None:
            raise
        say(f"not judged: {error}")
    exit_code = ending.exit_code
    if exit_code is None:
        assert verdict is not None
        exit_code = of_status(verdict.status)
    return Outcome(folder=folder, verdict=verdict, exit_code=exit_code, why=ending.why)


def _run_members(
    sweep: SweepPlan, folder: Path, journal: Journal, watching: Watching, say: Callable[[str], None]
) -> Ending:
    left_s = sweep.predicted_s
    try:
        for member in sweep.members:
            say(f"run {member.order} of {len(sweep.members)}: {member.name}; about {left_s / 60:.0f} min left")
            journal.event("run", name=member.name, state="begins")
            began_s = time.monotonic()
            with watching(member) as watch:
                outcome = experiment.run_experiment(
                    member.plan, out=folder, watch=watch, folder=create_member_folder(folder, member)
                )
            took_s = round(time.monotonic() - began_s, 1)
            journal.event("run", name=member.name, state="ended", exit_code=int(outcome.exit_code), took_s=took_s)
            say(f"{member.name}: {outcome.exit_code.name}, {took_s:.0f} s ({member.predicted_s:.0f} s predicted)")
            left_s -= member.predicted_s
            if outcome.exit_code is ExitCode.INTERRUPTED:
                return INTERRUPTED
            if outcome.exit_code is ExitCode.ENVIRONMENT:
                return Ending(how="failed", why=f"{member.name}: {outcome.why}", exit_code=ExitCode.ENVIRONMENT)
    except KeyboardInterrupt:
        return INTERRUPTED
    except (HarnessError, OSError) as error:
        return Ending(how="failed", why=str(error), exit_code=ExitCode.ENVIRONMENT)
    return COMPLETE


def judge_sweep_folder(folder: Path) -> Verdict:
    """Judge every run in ``folder`` again from its recording, then the sweep; write all verdicts."""
    events = read_events(folder)
    require_seal(folder, events)
    ended = {event.get("name") for event in events if event.get("event") == "run" and event.get("state") == "ended"}
    for member in read_sweep(folder).members:
        # A run that did not begin, or ended before its first file, has nothing to judge.
        if member.name in ended or member_folder(folder, member).exists():
            judging.judge_recording(member_folder(folder, member))
    return _judge_members(folder)


def _judge_members(folder: Path) -> Verdict:
    """Judge the sweep by its runs' verdicts and recordings, and write its verdict."""
    from harness.checks.sweep.scaling import judge_sweep

    sweep = read_sweep(folder)
    machine = _machine(folder, sweep)
    limits = machine.get("limits", {})
    verdict = judge_sweep(sweep, [_ran(folder, member) for member in sweep.members], cores=limits.get("cores"))
    write_verdict(folder, verdict)
    return verdict


def _ran(folder: Path, member: Member) -> "Ran":
    from harness.checks.sweep.member import Ran

    path = member_folder(folder, member)
    try:
        statements, queries = read_queries(path)
        return Ran(
            member=member,
            verdict=read_verdict(path),
            recording=Recording.open(path),
            statements=statements,
            queries=queries,
        )
    except UsageError:
        return Ran(member=member, verdict=None, recording=None)


def _machine(folder: Path, sweep: SweepPlan) -> dict[str, Any]:
    """The machine, by the first run that described it."""
    for member in sweep.members:
        if found := read_machine(member_folder(folder, member)):
            return found
    return {}


def render_sweep(folder: Path) -> Path:
    """Write the sweep's report.html and plots from its verdict, and the index of all results. Returns the page."""
    from harness.history.last_matrix import last_matrix
    from harness.report import write_index
    from harness.report.page.sweep_page import write_sweep_report

    verdict = read_verdict(folder)
    machine = _machine(folder, read_sweep(folder))
    page = write_sweep_report(folder, verdict, machine, read_events(folder), last_matrix(folder, machine))
    if folder.resolve().parent.name == verdict.plan.scenario:
        write_index(folder.resolve().parent.parent)
    return page
