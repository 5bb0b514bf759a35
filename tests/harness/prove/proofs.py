"""Made-up proofs."""

from harness.model.proof import Place, Proof, ProofRow

RIGHT = ProofRow(
    name="lose-one",
    place=Place.WAY,
    planted="one delivery is lost",
    events=1,
    demanded=("lost FAIL with 1",),
    said=("lost FAIL with 1",),
    found=1,
    wrong=(),
    took_s=6.25,
    folder="runs/lose-one/scenario-a/x",
)
WRONG = ProofRow(
    name="faithful-01",
    place=Place.NOWHERE,
    planted="a <faithful> server",
    events=None,
    demanded=("verdict PASS",),
    said=("verdict FAIL",),
    found=None,
    wrong=("expected verdict PASS; found verdict FAIL",),
    took_s=12.0,
    attempts=3,
)


def a_proof(*rows: ProofRow, scope: str = "quick", version: str = "9.9.9") -> Proof:
    return Proof(
        version=version, scope=scope, began="2026-01-01T00:00:00Z", took_s=18.2, machine="Linux x86_64", rows=rows
    )
