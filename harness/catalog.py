"""Finds scenarios by name or by path. The harness never imports one statically."""

import importlib
import importlib.util
import os
import pkgutil
import sys
from pathlib import Path
from types import ModuleType

import scenarios
from harness.model.errors import UsageError
from harness.model.scenario import Scenario

FILE_PREFIX = "scenario_file_"


def names() -> tuple[str, ...]:
    """The names of the scenarios that come with the harness, in order."""
    return tuple(sorted(module.name.replace("_", "-") for module in pkgutil.iter_modules(scenarios.__path__)))


def full_name(name_or_path: str) -> str:
    """``a`` as ``scenario-a``; every other text as it is."""
    short = f"scenario-{name_or_path}"
    return short if short in names() else name_or_path


def find(name_or_path: str) -> Scenario:
    """The scenario of that name, or the one in that Python file. Raises UsageError if there is none."""
    if name_or_path in names():
        return _scenario(importlib.import_module(f"scenarios.{name_or_path.replace('-', '_')}"), name_or_path)
    path = Path(name_or_path)
    if path.suffix == ".py":
        return _scenario(_load(path), name_or_path)
    known = ", ".join(names())
    raise UsageError(
        f"unknown scenario {name_or_path!r}: expected one of {known}, or the path of a .py file that defines SCENARIO"
    )


def _load(path: Path) -> ModuleType:
    # It gets a unique name: a file random.py must not replace Python's module of that name.
    name = f"{FILE_PREFIX}{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    if (
        spec is None or spec.loader is None or not os.path.isfile(path)
    ):  # Path.is_file raises for a name that is too long
        raise UsageError(f"scenario file {str(path)!r}: expected a readable Python file, found none")
    module = importlib.util.module_from_spec(spec)
    folder = str(path.resolve().parent)
    if folder not in sys.path:
        sys.path.append(folder)  # at the end: modules beside the file can be imported and hide no others
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except (Exception, SystemExit) as error:
        raise UsageError(f"scenario file {str(path)!r} cannot be loaded: {type(error).__name__}: {error}") from error
    return module


def _scenario(module: ModuleType, where: str) -> Scenario:
    # Here, because it imports NumPy: help and usage errors answer without it.
    from harness.planning.scenario_objections import scenario_objections

    scenario = getattr(module, "SCENARIO", None)
    if not isinstance(scenario, Scenario):
        raise UsageError(
            f"{where}: expected a module-level SCENARIO of type harness.model.scenario.Scenario, found none"
        )
    if found := scenario_objections(scenario):
        raise UsageError(*(f"{where}: {sentence}" for sentence in found))
    return scenario
