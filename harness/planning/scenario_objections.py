"""Every reason why a scenario cannot be run as its file defines it, all at once.

Python does not check the types of a dataclass. So a file that says ``clients=8.0`` or ``limit_ms="100"`` is compared
here with the declared types, before anything starts.
"""

import dataclasses
import re
import typing
from collections.abc import Iterator
from itertools import pairwise
from types import NoneType
from typing import Any, TypeVar

import msgspec

from harness.model.expectation import Expectation
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.scenario import Load, Scenario, Sweep
from harness.planning.objections import MAX_CLIENTS, MAX_DURATION_S, MAX_MESSAGES, MAX_RATE_HZ, MAX_SERVERS, in_full

_T = TypeVar("_T")
NAME = re.compile(r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")
"""A scenario's name is a folder of the results."""
MAX_LIMIT_MS = 3_600_000.0


_MOMENTS: dict[Unit, tuple[float, float]] = {
    Unit.MESSAGE: (1.0, float(MAX_MESSAGES)),
    Unit.SHARE: (0.0, 1.0),
    Unit.SECOND: (0.0, MAX_DURATION_S),
    Unit.AFTER: (0.1, MAX_DURATION_S),
}
"""The least and the largest value of a moment; POSTED has none."""


def scenario_objections(scenario: Scenario) -> tuple[str, ...]:
    """Sentences with the field, what was expected and what was found; empty if the scenario can run.

    The types of all fields come first. Then the values of those fields that are of their types, so that a person who
    corrects the file sees all problems at once.
    """
    return (*_wrong_types(scenario, "SCENARIO"), *_wrong_values(scenario))


def _wrong_types(value: Any, path: str) -> Iterator[str]:
    """One sentence for each field below ``value``, a dataclass, that is not of its declared type."""
    hints = typing.get_type_hints(type(value))
    for field in dataclasses.fields(value):
        yield from _wrong_type(getattr(value, field.name), hints[field.name], f"{path}.{field.name}")


def _wrong_type(value: Any, hint: Any, path: str) -> Iterator[str]:
    members = [member for member in (typing.get_args(hint) or (hint,)) if member is not NoneType]
    if typing.get_origin(hint) is tuple:
        if not isinstance(value, tuple):
            yield f"{path}: expected a tuple, found {_shown(value)}"
            return
        for number, item in enumerate(value):
            yield from _wrong_type(item, members[0], f"{path}[{number}]")
    elif any(dataclasses.is_dataclass(member) for member in members):
        if value is None and NoneType in typing.get_args(hint):
            return
        if isinstance(value, members[0]):
            yield from _wrong_types(value, path)
        else:
            yield f"{path}: expected {members[0].__name__}(…), found {_shown(value)}"
    else:
        try:
            msgspec.convert(value, hint)
        except msgspec.ValidationError as error:
            yield f"{path}: {str(error).replace('Expected', 'expected')} ({_shown(value)})"


def _shown(value: Any) -> str:
    return f"{type(value).__name__} {_written(value)}"


def _written(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:  # a type of the file's own, or an integer with more digits than Python writes
        return "(that cannot be shown)"
    return text if len(text) <= 60 else f"{text[:57]}…"


def _wrong_values(scenario: Any) -> Iterator[str]:
    if isinstance(scenario.name, str) and not NAME.fullmatch(scenario.name):
        yield (
            "SCENARIO.name: expected small letters, digits and hyphens, at most 64, because it is a folder of the "
            f"results; found {_written(scenario.name)}"
        )
    for field in ("title", "claim"):
        text = getattr(scenario, field)
        if isinstance(text, str) and not text.strip():
            yield f"SCENARIO.{field}: expected a sentence, found none"
        elif isinstance(text, str) and not text.replace("\n", "").isprintable():
            yield f"SCENARIO.{field}: expected printable characters, found {_written(text)}"
    yield from _load(scenario.load, "SCENARIO.load")
    yield from _load(scenario.smoke, "SCENARIO.smoke")
    for number, wish in _each(scenario.expectations, Expectation):
        yield from _range(wish.limit_ms, 0.001, MAX_LIMIT_MS, f"SCENARIO.expectations[{number}].limit_ms")
    for number, fault in _each(scenario.faults, Fault):
        yield from _fault(fault, f"SCENARIO.faults[{number}]")
    yield from _sweep(scenario.sweep, "SCENARIO.sweep")


def _load(load: Any, path: str) -> Iterator[str]:
    if not isinstance(load, Load):
        return
    servers = load.servers if _is_number(load.servers) else 1
    clients = load.clients if _is_number(load.clients) else MAX_CLIENTS
    yield from _range(load.servers, 1, MAX_SERVERS, f"{path}.servers")
    yield from _range(load.clients, min(max(1, servers), MAX_SERVERS), MAX_CLIENTS, f"{path}.clients")
    yield from _range(load.rate_hz, 0.1, MAX_RATE_HZ, f"{path}.rate_hz")
    yield from _range(load.duration_s, 1.0, MAX_DURATION_S, f"{path}.duration_s")
    yield from _range(load.warm_up_s, 0.0, MAX_DURATION_S, f"{path}.warm_up_s")
    yield from _range(load.audience, 1, min(max(1, clients), MAX_CLIENTS), f"{path}.audience")


def _fault(fault: Fault, path: str) -> Iterator[str]:
    yield from _moment(fault.at, f"{path}.at")
    yield from _moment(fault.until, f"{path}.until")
    if isinstance(fault.at, Moment) and fault.at.unit in (Unit.AFTER, Unit.POSTED):
        yield f"{path}.at: expected a moment in the schedule (message, share or second), found {fault.at.unit!s}"
    if _ends_before_it_begins(fault.at, fault.until):
        yield (
            f"{path}.until: expected a moment after {path}.at, found {fault.at.value:g} and then {fault.until.value:g}"
        )
    if fault.parts or fault.times is not None:
        yield (
            f"{path}: expected no parts and no times, because the plan chooses them; found {fault.parts or fault.times}"
        )
    if fault.target is Target.CLIENTS and isinstance(fault.kind, FaultKind) and fault.kind is not FaultKind.PAUSE:
        yield f"{path}.kind: expected pause, because clients can only stop reading; found {fault.kind!s}"


def _ends_before_it_begins(at: Any, until: Any) -> bool:
    """False if the two have different units: only the run's own schedule can compare them."""
    if not (isinstance(at, Moment) and isinstance(until, Moment) and at.unit == until.unit):
        return False
    return _is_number(at.value) and _is_number(until.value) and until.value <= at.value


def _moment(moment: Any, path: str) -> Iterator[str]:
    if isinstance(moment, Moment) and (limits := _MOMENTS.get(moment.unit)):
        yield from _range(moment.value, *limits, f"{path}.value")


def _sweep(sweep: Any, path: str) -> Iterator[str]:
    if not isinstance(sweep, Sweep):
        return
    for field in ("server_counts", "smoke_counts"):
        counts = getattr(sweep, field)
        if not isinstance(counts, tuple):
            continue
        for number, count in enumerate(counts):
            yield from _range(count, 1, MAX_SERVERS, f"{path}.{field}[{number}]")
        comparable = all(_is_number(count) for count in counts)
        if len(counts) < 2 or (comparable and any(later <= earlier for earlier, later in pairwise(counts))):
            yield f"{path}.{field}: expected at least two rising numbers, found {_written(counts)}"
    for field in ("clients_per_server", "smoke_clients_per_server"):
        yield from _range(getattr(sweep, field), 1, MAX_CLIENTS, f"{path}.{field}")
    for field in ("weak_rate_per_server_hz", "smoke_weak_rate_per_server_hz"):
        yield from _range(getattr(sweep, field), 0.1, MAX_RATE_HZ, f"{path}.{field}")


def _each(items: Any, kind: type[_T]) -> Iterator[tuple[int, _T]]:
    """The members of a tuple that are of ``kind``, each with its position."""
    if isinstance(items, tuple):
        for number, item in enumerate(items):
            if isinstance(item, kind):
                yield number, item


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _range(value: Any, low: float, high: float, path: str) -> Iterator[str]:
    """Nothing if ``value`` is not a number: its type was reported already."""
    if _is_number(value) and not low <= value <= high:
        yield f"{path}: expected a number from {in_full(low)} to {in_full(high)}, found {_written(value)}"
