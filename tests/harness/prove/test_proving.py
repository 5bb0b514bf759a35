import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from harness.model.errors import EnvironmentFailure
from harness.model.finding import Bias, Finding, Kind, Status, Verdict
from harness.model.proof import Place, Proof, ProofRow
from harness.prove.demand import Ends, Observation, Says
from harness.prove.planted_bug import PlantedBug
from harness.prove.proving import ATTEMPTS, prove
from harness.prove.stage import Stage
from tests.harness.plans import a_plan

LOST = Finding(check="lost", kind=Kind.SAFETY, status=Status.FAIL, summary="", measured=2, expected=0)
BUSY = Finding(
    check="foreign-cpu",
    kind=Kind.VALIDITY,
    status=Status.UNKNOWN,
    summary="",
    measured=None,
    expected=None,
    bias=Bias.PESSIMISTIC,
)


@dataclass(frozen=True)
class Scripted:
    """A trial with a given result."""

    events: int | None = 2
    status: Status = Status.FAIL
    findings: tuple[Finding, ...] = (LOST,)
    error: str = ""
    defect: bool = False

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        if self.defect:
            raise LookupError("a defect of the trial")
        if self.error:
            raise EnvironmentFailure(self.error)
        verdict = Verdict(status=self.status, findings=self.findings, plan=a_plan())
        return Observation(exit_code=1, verdict=verdict, events=self.events, folder=folder)


BUG = PlantedBug(
    name="lose-two",
    place=Place.WAY,
    planted="two deliveries are lost",
    trial=Scripted(),
    demands=(Says(check="lost", status=(Status.FAIL,), each=1),),
)


def proved(folder: Path, *bugs: PlantedBug) -> Proof:
    said: list[str] = []
    so_far: list[int] = []

    def say(row: ProofRow, proof: Proof) -> None:
        said.append(row.name)
        so_far.append(len(proof.rows))
        assert proof.complete == (len(proof.rows) == len(bugs))

    proof = asyncio.run(prove(bugs, scope="test", folder=folder, say=say))
    assert sorted(said) == sorted(bug.name for bug in bugs)
    assert so_far == list(range(1, len(bugs) + 1))
    return proof


def names(proof: Proof) -> Sequence[str]:
    return [row.name for row in proof.rows]


def test_a_row_says_what_was_planted_and_what_was_found(tmp_path: Path) -> None:
    """The row holds the planter's count, the verdict's count, the demands and the findings."""
    (row,) = proved(tmp_path, BUG).rows
    assert row.right
    assert (row.events, row.found, row.attempts, row.folder) == (2, 2, 1, "runs/lose-two")
    assert row.demanded == ("lost FAIL with 2",)
    assert row.said == ("lost FAIL with 2",)


def test_rows_keep_the_order_of_the_bugs(tmp_path: Path) -> None:
    """Bugs that need the machine alone are tried last, but keep their place in the table."""
    bugs = [replace(BUG, name=name, alone=name == "a") for name in "abc"]
    assert names(proved(tmp_path, *bugs)) == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("trial", "wrong"),
    [
        (Scripted(events=3), "expected lost FAIL with 3; found lost FAIL with 2"),
        (Scripted(events=0), "nothing was planted"),
        (Scripted(error="no database"), "the trial could not be made: no database"),
        (Scripted(defect=True), "the trial could not be made: LookupError: a defect of the trial"),
        (Scripted(findings=()), "expected lost FAIL with 2; found lost was not asked"),
    ],
)
def test_what_is_wrong_is_told(tmp_path: Path, trial: Scripted, wrong: str) -> None:
    """The count is wrong, nothing was planted, the trial could not be made, or the check was not asked."""
    proof = proved(tmp_path, BUG, replace(BUG, name="wrong", trial=trial))
    assert not proof.right
    assert [row.right for row in proof.rows] == [True, False]
    assert wrong in proof.rows[1].wrong


def test_a_busy_machine_is_tried_again(tmp_path: Path) -> None:
    """A control is repeated if a validity check doubts its figures. A wrong verdict on a quiet machine is wrong without
    a repetition."""
    control = replace(BUG, name="control", alone=True, demands=(Ends(status=(Status.PASS,)),))
    busy = replace(control, name="busy", trial=Scripted(status=Status.UNKNOWN, findings=(BUSY,), events=None))
    quiet = replace(control, name="quiet", trial=Scripted(events=None))
    rows = proved(tmp_path, busy, quiet).rows
    assert [row.attempts for row in rows] == [ATTEMPTS, 1]
    assert not any(row.right for row in rows)
    assert rows[0].wrong[-1] == "the machine was busy, by foreign-cpu"


def test_a_proof_that_was_cut_short_proves_nothing(tmp_path: Path) -> None:
    """All finished rows are right, but other bugs were never tried."""
    proof = proved(tmp_path, BUG)
    assert proof.right
    assert not replace(proof, complete=False).right


def test_nothing_proved_is_no_proof(tmp_path: Path) -> None:
    """An empty series is not right."""
    assert not proved(tmp_path).right
