"""The folder of a capacity search: results/<scenario>/capacity/<UTC time>/ with capacity.json, events.jsonl, the report
and ``runs/<number>-<vary>-<value>/``, each with its own recording."""

from pathlib import Path

import msgspec

from harness.model.capacity import Capacity, CapacityPlan
from harness.model.errors import EnvironmentFailure, UsageError
from harness.recording.format import CAPACITY, LOGS, RUNS, VERSION
from harness.recording.writer import new_folder, write_json

FAMILY = "capacity"


def create_capacity_folder(results: Path, search: CapacityPlan) -> Path:
    """A new folder for ``search``. Raises EnvironmentFailure if it cannot be written."""

    def fill(folder: Path) -> None:
        folder.mkdir()
        (folder / LOGS).mkdir()
        (folder / RUNS).mkdir()
        _write(folder, Capacity(plan=search))

    return new_folder(results / search.plan.scenario / FAMILY, fill)


def write_capacity(folder: Path, capacity: Capacity) -> None:
    """Write capacity.json in one step. Raises EnvironmentFailure if the folder cannot be written."""
    try:
        _write(folder, capacity)
    except OSError as error:
        raise EnvironmentFailure(f"{CAPACITY} cannot be written to {folder}: {error.strerror or error}") from error


def _write(folder: Path, capacity: Capacity) -> None:
    write_json(folder / CAPACITY, {"version": VERSION, **msgspec.to_builtins(capacity)})


def is_capacity_folder(folder: Path) -> bool:
    return (folder / CAPACITY).is_file()


def read_capacity(folder: Path) -> Capacity:
    """Raises UsageError for a folder that is not a search, or is of another version."""
    try:
        document = msgspec.json.decode((folder / CAPACITY).read_bytes())
        found = document.pop("version")
        if found != VERSION:
            raise UsageError(f"{folder / CAPACITY}: expected version {VERSION}, found {found}")
        return msgspec.convert(document, Capacity)
    except (OSError, KeyError, AttributeError, TypeError, msgspec.MsgspecError) as error:
        raise UsageError(f"{folder}: expected the folder of a capacity search, found {error}") from error
