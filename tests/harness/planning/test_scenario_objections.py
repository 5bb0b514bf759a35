from dataclasses import replace
from typing import Any

import pytest

from harness import catalog
from harness.model.expectation import Expectation
from harness.model.fault import Fault, FaultKind, Moment, Target, Unit
from harness.model.scenario import Scenario
from harness.planning.scenario_objections import scenario_objections

A, B, C = (catalog.find(f"scenario-{letter}") for letter in "abc")
WISH = Expectation(measure="latency_ms", statistic="p99", limit_ms=100.0)


def changed(scenario: Scenario, **changes: Any) -> Scenario:
    """A scenario as a file may define it. Python does not check the types of a dataclass."""
    return replace(scenario, **changes)


def wish(**changes: Any) -> Expectation:
    return replace(WISH, **changes)


def fault(**changes: Any) -> Fault:
    return replace(B.faults[0], **changes)


def with_load(**changes: Any) -> Scenario:
    return replace(A, load=replace(A.load, **changes))


def with_moment(unit: Unit, value: float) -> Scenario:
    return replace(B, faults=(replace(B.faults[0], at=Moment(unit=unit, value=value)),))


def with_end(unit: Unit, at: float, until: float) -> Scenario:
    return replace(B, faults=(fault(at=Moment(unit=unit, value=at), until=Moment(unit=unit, value=until)),))


class Unprintable:
    def __repr__(self) -> str:
        raise ValueError("no text")


def with_sweep(**changes: Any) -> Scenario:
    assert C.sweep is not None
    return replace(C, sweep=replace(C.sweep, **changes))


@pytest.mark.parametrize("name", catalog.names())
def test_the_own_scenarios_have_no_objection(name: str) -> None:
    assert scenario_objections(catalog.find(name)) == ()


@pytest.mark.parametrize(
    ("scenario", "words"),
    [
        # Types.
        (with_load(clients=8.0), "SCENARIO.load.clients: expected `int`, got `float` (float 8.0)"),
        (with_load(clients="8"), "SCENARIO.load.clients: expected `int`, got `str` (str '8')"),
        (with_load(servers=True), "SCENARIO.load.servers: expected `int`, got `bool`"),
        (with_load(audience="some"), "SCENARIO.load.audience"),
        (with_load(rate_hz=None), "SCENARIO.load.rate_hz"),
        (changed(A, load=None), "SCENARIO.load: expected Load(…), found NoneType"),
        (changed(A, load={"clients": 8}), "SCENARIO.load: expected Load(…), found dict"),
        (changed(A, name=7), "SCENARIO.name: expected `str`, got `int`"),
        (changed(A, expectations=WISH), "SCENARIO.expectations: expected a tuple"),
        (changed(A, expectations=[WISH]), "SCENARIO.expectations: expected a tuple"),
        (changed(A, expectations=(1,)), "SCENARIO.expectations[0]: expected Expectation(…)"),
        (
            changed(A, expectations=(wish(measure="latency"),)),
            "SCENARIO.expectations[0].measure",
        ),
        (
            changed(A, expectations=(wish(limit_ms="100"),)),
            "SCENARIO.expectations[0].limit_ms: expected `float`, got `str`",
        ),
        (
            changed(B, faults=(fault(kind="explode"),)),
            "SCENARIO.faults[0].kind",
        ),
        (changed(C, sweep=(2, 4)), "SCENARIO.sweep: expected Sweep(…)"),
        (with_sweep(server_counts=[2, 4]), "SCENARIO.sweep.server_counts: expected a tuple"),
        # Values.
        (with_load(clients=10**400), "SCENARIO.load.clients: expected a number from"),
        (with_load(servers=10**5_000), "(that cannot be shown)"),
        (with_load(rate_hz=10**400), "SCENARIO.load.rate_hz: expected a number from"),
        (with_load(clients=Unprintable()), "SCENARIO.load.clients: expected `int`"),
        (changed(A, title="a\ud800"), "SCENARIO.title: expected printable characters"),
        (changed(A, claim="a\0b"), "SCENARIO.claim: expected printable characters"),
        (changed(A, title="\x1b[31m"), "SCENARIO.title: expected printable characters"),
        (with_end(Unit.SECOND, 2.0, 1.0), "SCENARIO.faults[0].until: expected a moment after"),
        (with_end(Unit.SHARE, 0.5, 0.5), "SCENARIO.faults[0].until: expected a moment after"),
        (with_end(Unit.MESSAGE, 9.0, 3.0), "SCENARIO.faults[0].until: expected a moment after"),
        (changed(A, name="../../evil"), "SCENARIO.name: expected small letters"),
        (changed(A, name=""), "SCENARIO.name: expected small letters"),
        (changed(A, name="a" * 65), "SCENARIO.name: expected small letters"),
        (changed(A, name="a\n"), "SCENARIO.name: expected small letters"),
        (replace(A, claim=" "), "SCENARIO.claim: expected a sentence"),
        (with_load(rate_hz=0.0), "SCENARIO.load.rate_hz: expected a number from 0.1 to 100,000, found 0.0"),
        (with_load(rate_hz=float("nan")), "SCENARIO.load.rate_hz"),
        (with_load(duration_s=float("inf")), "SCENARIO.load.duration_s"),
        (with_load(warm_up_s=-1.0), "SCENARIO.load.warm_up_s"),
        (with_load(clients=0), "SCENARIO.load.clients: expected a number from 4"),
        (with_load(audience=100_000), "SCENARIO.load.audience: expected a number from 1 to 10,000"),
        (replace(A, smoke=replace(A.smoke, servers=0)), "SCENARIO.smoke.servers"),
        (changed(A, expectations=(replace(WISH, limit_ms=-1.0),)), "SCENARIO.expectations[0].limit_ms"),
        (with_moment(Unit.SHARE, 1.5), "SCENARIO.faults[0].at.value: expected a number from 0 to 1, found 1.5"),
        (with_moment(Unit.MESSAGE, 0), "SCENARIO.faults[0].at.value"),
        (with_moment(Unit.AFTER, 5), "SCENARIO.faults[0].at: expected a moment in the schedule"),
        (with_moment(Unit.POSTED, 0), "SCENARIO.faults[0].at: expected a moment in the schedule"),
        (replace(B, faults=(replace(B.faults[0], parts=("broker",)),)), "SCENARIO.faults[0]: expected no parts"),
        (with_sweep(server_counts=(4, 2)), "SCENARIO.sweep.server_counts: expected at least two rising numbers"),
        (with_sweep(smoke_counts=(2,)), "SCENARIO.sweep.smoke_counts: expected at least two"),
        (with_sweep(clients_per_server=0), "SCENARIO.sweep.clients_per_server"),
    ],
)
def test_what_cannot_run_is_named_by_its_field(scenario: Scenario, words: str) -> None:
    """The message gives the field, the expected value and the found value."""
    found = scenario_objections(scenario)
    assert any(words in sentence for sentence in found), found


def test_everything_wrong_is_said_at_once() -> None:
    fault = Fault(
        kind=FaultKind.STOP,
        target=Target.CLIENTS,
        at=Moment(unit=Unit.SHARE, value=2.0),
        until=Moment(unit=Unit.POSTED),
    )
    found = scenario_objections(replace(with_load(rate_hz=0.0, duration_s=0.0), name="A B", faults=(fault,)))
    assert len(found) == 5


@pytest.mark.parametrize(
    ("scenario", "fields"),
    [
        (
            changed(with_load(rate_hz=0.0, clients=8.0), name="../../evil", expectations=(wish(limit_ms="100"),)),
            {"SCENARIO.name", "SCENARIO.load.rate_hz", "SCENARIO.load.clients", "SCENARIO.expectations[0].limit_ms"},
        ),
        (
            changed(A, load=None, smoke=replace(A.smoke, duration_s=0.0), expectations=[WISH]),
            {"SCENARIO.load", "SCENARIO.smoke.duration_s", "SCENARIO.expectations"},
        ),
        (
            changed(A, expectations=(1, wish(limit_ms=-1.0))),
            {"SCENARIO.expectations[0]", "SCENARIO.expectations[1].limit_ms"},
        ),
        (
            changed(B, title=" ", faults=(fault(kind="explode", at=Moment(unit=Unit.SHARE, value=2.0)), "stop")),
            {"SCENARIO.title", "SCENARIO.faults[0].kind", "SCENARIO.faults[0].at.value", "SCENARIO.faults[1]"},
        ),
        (
            with_sweep(server_counts=(2, "4"), smoke_counts=(4, 2), clients_per_server=0),
            {"SCENARIO.sweep.server_counts[1]", "SCENARIO.sweep.smoke_counts", "SCENARIO.sweep.clients_per_server"},
        ),
        (
            changed(with_load(servers="4", audience=0), claim=7),
            {"SCENARIO.load.servers", "SCENARIO.load.audience", "SCENARIO.claim"},
        ),
    ],
)
def test_a_wrong_type_hides_no_wrong_value(scenario: Scenario, fields: set[str]) -> None:
    found = scenario_objections(scenario)
    assert {sentence.split(": ")[0] for sentence in found} == fields, found
