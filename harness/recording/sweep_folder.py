"""The folder of a sweep: results/<scenario>/<UTC time>/ with plan.json, events.jsonl, verdict and report of the whole,
and ``runs/<order>-<curve>-<servers>x<repetition>/``, each with its own recording."""

import json
from dataclasses import asdict
from pathlib import Path

import msgspec

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.sweep_plan import Member, SweepPlan
from harness.recording.format import ARRAYS, LOGS, PLAN, RUNS, VERSION
from harness.recording.reader import read_plan
from harness.recording.writer import create_folder, fill_folder, write_json


def create_sweep_folder(results: Path, sweep: SweepPlan) -> Path:
    """A new folder for ``sweep``. Raises EnvironmentFailure if it cannot be written."""
    folder = create_folder(results, sweep.widest)
    try:
        for part in (ARRAYS, LOGS):
            (folder / part).rmdir()
        (folder / RUNS).mkdir()
        document = {"version": VERSION, "plan": asdict(sweep.widest), "sweep": msgspec.to_builtins(sweep)}
        write_json(folder / PLAN, document)
    except OSError as error:
        raise EnvironmentFailure(f"results cannot be written below {results}: {error.strerror or error}") from error
    return folder


def create_member_folder(folder: Path, member: Member) -> Path:
    """A new folder for one run of the sweep in ``folder``."""
    path = member_folder(folder, member)
    try:
        fill_folder(path, member.plan)
    except OSError as error:
        raise EnvironmentFailure(f"results cannot be written below {folder}: {error.strerror or error}") from error
    return path


def member_folder(folder: Path, member: Member) -> Path:
    return folder / RUNS / member.name


def is_sweep_folder(folder: Path) -> bool:
    """Whether ``folder`` holds a sweep. Raises UsageError if it holds no run."""
    read_plan(folder)
    return "sweep" in json.loads((folder / PLAN).read_text(encoding="utf-8"))


def read_sweep(folder: Path) -> SweepPlan:
    """Raises UsageError for a folder that is not a sweep, or is of another version."""
    read_plan(folder)
    document = json.loads((folder / PLAN).read_text(encoding="utf-8"))
    try:
        return msgspec.convert(document["sweep"], SweepPlan)
    except (KeyError, msgspec.ValidationError) as error:
        raise UsageError(f"{folder}: expected a sweep's folder, found {error}") from error
