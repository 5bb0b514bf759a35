import dataclasses

import pytest

from harness.catalog import find
from harness.model.fault import FaultKind, Target
from harness.planning.objections import objections
from harness.planning.request import Request

SCENARIO = find("scenario-a")


def test_the_default_request_has_no_objection() -> None:
    for name in ("scenario-a", "scenario-b", "scenario-c", "scenario-d"):
        assert objections(Request(), find(name)) == ()


@pytest.mark.parametrize("option", ["environment", "backplane", "write_path", "recovery", "protocol", "engine"])
def test_an_unknown_name_is_refused_with_the_known_ones(option: str) -> None:
    """The message gives the option, the value that was found, and the values that exist."""
    (sentence,) = objections(dataclasses.replace(Request(), **{option: "pigeon"}), SCENARIO)
    assert sentence.startswith(f"--{option.replace('_', '-')} 'pigeon': expected one of ")
    assert str(getattr(Request(), option)) in sentence


@pytest.mark.parametrize(
    ("option", "values"),
    [
        ("servers", (0, -1, 65)),
        ("clients", (0, 1_000_001)),
        ("rate_hz", (0.0, -5.0, float("nan"), float("inf"))),
        ("duration_s", (0.5, float("nan"), 1e9)),
        ("audience", (0, -1)),
        ("outage_s", (0.0, -1.0)),
    ],
)
def test_a_number_out_of_range_is_refused(option: str, values: tuple[float, ...]) -> None:
    for value in values:
        found = objections(dataclasses.replace(Request(), **{option: value}), find("scenario-b"))
        assert any("expected a number from" in sentence for sentence in found), value


@pytest.mark.parametrize(
    ("request_", "words"),
    [
        (Request(backplane="memory", servers=2), "messages would not leave the server that accepted them"),
        (Request(clients=3, servers=4), "at least one client on each server"),
        (Request(clients=10, audience=11, servers=2), "expected at most all of them"),
        (Request(environment="external"), "expected the servers' addresses"),
        (Request(server_urls=("http://10.0.0.5:8000",)), "--server goes with --environment external"),
        (
            Request(environment="external", servers=3, server_urls=("http://10.0.0.5:8000",)),
            "expected the same number",
        ),
        (Request(environment="docker", server_module="mine"), "--server-module goes with --environment embedded"),
        (Request(outage_s=5.0), "injects no fault"),
        (Request(fault=FaultKind.PARTITION, target=Target.BROKER), "--environment embedded cannot"),
        (Request(fault=FaultKind.KILL, target=Target.CLIENTS), "clients can only stop reading"),
        (Request(backplane="memory", servers=1, fault=FaultKind.STOP, target=Target.BROKER), "no broker to break"),
        (Request(fault=FaultKind.RESTART, target=Target.BROKER, outage_s=5.0), "use --fault stop"),
    ],
)
def test_what_does_not_go_together_is_refused_with_its_reason(request_: Request, words: str) -> None:
    assert any(words in sentence for sentence in objections(request_, SCENARIO))


def test_all_objections_come_at_once() -> None:
    found = objections(Request(servers=65, duration_s=0.0, rate_hz=0.0, backplane="pigeon"), SCENARIO)
    assert len(found) == 4


def test_a_commit_before_the_flush_is_refused_where_it_is_not_ours_to_set() -> None:
    """The reason is in the message: the sessions of an external cluster belong to its own servers."""
    request = Request(environment="external", server_urls=("http://a:1",), synchronous_commit="off")
    (sentence,) = objections(request, SCENARIO)
    assert sentence.startswith("--synchronous-commit off: --environment external does not set it")
    assert objections(dataclasses.replace(request, synchronous_commit="on"), SCENARIO) == ()
    assert objections(Request(synchronous_commit="off"), SCENARIO) == ()
