"""Measurements with a value in every field, made from their types."""

import dataclasses
import types
import typing
from collections.abc import Iterator, Mapping
from enum import StrEnum
from typing import Any

from harness.model.measurements.matrix_measurements import MatrixMeasurements
from harness.model.measurements.run_measurements import RunMeasurements
from harness.model.measurements.sweep_measurements import SweepMeasurements


def structs(kind: Any = (RunMeasurements, SweepMeasurements, MatrixMeasurements)) -> Iterator[type]:
    """Every dataclass that is part of ``kind``, each once."""
    found: dict[type, None] = {}
    _collect(kind, found)
    yield from found


def _collect(kind: Any, found: dict[type, None]) -> None:
    for one in kind if isinstance(kind, tuple) else (kind, *typing.get_args(kind)):
        if dataclasses.is_dataclass(one) and isinstance(one, type) and one not in found:
            found[one] = None
            for hint in typing.get_type_hints(one).values():
                _collect(hint, found)
        elif typing.get_args(one) and one is not kind:
            _collect(one, found)


def filled(kind: Any) -> Any:
    """A value of ``kind`` in which no field is None or empty."""
    arguments = typing.get_args(kind)
    origin = typing.get_origin(kind)
    if origin in (typing.Union, types.UnionType):
        return filled(next(one for one in arguments if one is not types.NoneType))
    if origin is tuple:
        return (filled(arguments[0]),)
    if origin is Mapping or (isinstance(origin, type) and issubclass(origin, Mapping)):
        return {"name": filled(arguments[1])}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return kind(**{name: filled(hint) for name, hint in typing.get_type_hints(kind).items()})
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return next(iter(kind))
    return {bool: True, int: 7, float: 1.5, str: "word"}[kind]
