"""A proof as lines of text, for the terminal."""

from collections.abc import Iterator

from harness.model.proof import Proof, ProofRow


def row_lines(row: ProofRow) -> Iterator[str]:
    """The result of one planted bug, and every difference from the expected verdict."""
    mark = "right" if row.right else "WRONG"
    events = "" if row.events is None else f", planted {row.events:,}"
    found = "" if row.found is None else f", found {row.found:,}"
    yield f"{mark}  {row.name}  {row.place}{events}{found}, {row.took_s:.1f} s: {'; '.join(row.said)}"
    for wrong in row.wrong:
        yield f"       {wrong}"


def summary(proof: Proof) -> str:
    right = sum(row.right for row in proof.rows)
    word = "PROVED" if proof.right else "NOT PROVED" if proof.complete else "INTERRUPTED"
    return (
        f"{word}  harness {proof.version}, {proof.scope}: {right} of "
        f"{len(proof.rows)} as expected, in {proof.took_s:.0f} s"
    )
