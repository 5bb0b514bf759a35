"""The check of the client protocol: every incident that violates it is red, and missing data are no evidence."""

from pathlib import Path

import pytest

from harness.model.finding import Status
from harness.model.incident import ALLOWED, OUTCOMES, VIOLATIONS, Incident, IncidentKind
from harness.recording import format as layout
from tests.harness.recordings import HandMade, finding, red


def incident(kind: IncidentKind, *, reason: str = "planted", count: int = 1, last_ns: int = 2) -> Incident:
    examples = (f"client 0: {reason}",)
    return Incident(kind=kind, reason=reason, count=count, first_ns=1, last_ns=last_ns, examples=examples)


@pytest.mark.parametrize("kind", VIOLATIONS)
def test_each_kind_of_violation_is_red(run: HandMade, tmp_path: Path, kind: IncidentKind) -> None:
    """The finding has the count and an example. No other check is red."""
    run.incidents = [incident(kind, count=7), incident(kind, reason="another", count=3)]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"protocol-violations"}
    found = finding(verdict, "protocol-violations")
    assert isinstance(found.measured, dict)
    assert found.measured[str(kind)] == 10
    assert f"10 {kind}" in found.summary
    assert found.examples == (f"{kind}: planted: client 0: planted", f"{kind}: another: client 0: another")


@pytest.mark.parametrize("kind", OUTCOMES)
def test_what_became_of_posts_is_for_the_ledger(run: HandMade, tmp_path: Path, kind: IncidentKind) -> None:
    """The newest reasons are in the finding of the ledger, each with its count. They do not violate the protocol."""
    run.incidents = [
        incident(kind, reason=f"502 page {number}", count=number + 1, last_ns=100 - number) for number in range(7)
    ]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    summary = finding(verdict, "ledger").summary
    assert summary.endswith(
        "Newest reasons: 1 × 502 page 0; 2 × 502 page 1; 3 × 502 page 2; 4 × 502 page 3; 5 × 502 page 4; 2 more reasons"
    )


def test_examples_show_as_many_kinds_as_there_are(run: HandMade, tmp_path: Path) -> None:
    """Many examples of one kind do not hide an example of another kind."""
    run.incidents = [
        Incident(
            kind=IncidentKind.BINARY, reason="r", count=9, first_ns=1, last_ns=1, examples=tuple("abcdefghijklmnop")
        ),
        incident(IncidentKind.HANDSHAKE),
    ]
    examples = finding(run.verdict(tmp_path), "protocol-violations").examples
    assert {example.split(":")[0] for example in examples} == {"binary", "handshake"}


@pytest.mark.parametrize("name", ["worker-00", "publisher"])
def test_a_process_that_left_no_list_is_no_evidence(run: HandMade, tmp_path: Path, name: str) -> None:
    """Without the list of one process the check does not pass."""
    run.silent_processes = {name}
    found = finding(run.verdict(tmp_path), "protocol-violations")
    assert (found.status, name in found.summary) == (Status.UNKNOWN, True)


def test_a_run_without_anything_is_no_evidence(tmp_path: Path) -> None:
    """A service that sent nothing has not shown that it keeps the protocol."""
    run = HandMade()
    run.post(0, to=[], outcome=layout.INDETERMINATE, stored=False)
    assert finding(run.verdict(tmp_path), "protocol-violations").status is Status.UNKNOWN


def test_a_position_ahead_of_everything_hides_no_loss(run: HandMade, tmp_path: Path) -> None:
    """A server names a position far ahead and then loses deliveries: both errors are found."""
    run.post(0, to=[0])
    run.sessions = [(0, 0), (1, 100_000), (2, 0), (3, 0)]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == {"protocol-violations", "lost", "lost-tail"}
    assert finding(verdict, "lost").measured == 1
    found = finding(verdict, "protocol-violations")
    assert "client 1: position 100000" in found.examples[0]


@pytest.mark.parametrize("kind", ALLOWED)
def test_what_the_protocol_allows_is_told_and_is_no_violation(
    run: HandMade, tmp_path: Path, kind: IncidentKind
) -> None:
    """Receivers ignore events of an unknown type. Such events are counted, and the run passes."""
    run.incidents = [incident(kind, count=7)]
    verdict = run.verdict(tmp_path)
    assert red(verdict) == set()
    found = finding(verdict, "protocol-violations")
    assert isinstance(found.measured, dict)
    assert (found.status, found.measured[str(kind)]) == (Status.PASS, 7)
    assert found.summary.endswith(f"seen, and allowed: 7 {kind}")
