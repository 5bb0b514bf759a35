"""--github: the annotations and the outputs of a step."""

from harness.outputs.github import ANNOTATIONS_MAX, annotations, outputs
from tests.harness.outputs import summaries


def test_at_most_ten_annotations_worst_first() -> None:
    """GitHub shows ten annotations. Failures come before undecided checks, and the last annotation says how many more
    there are."""
    shown = annotations(summaries.many_failures(8))
    assert len(shown) == ANNOTATIONS_MAX
    assert all(line.startswith("::error ") for line in shown[:8])
    assert shown[-1].startswith("::warning ")
    assert "7 more" in shown[-1]


def test_ten_are_not_cut() -> None:
    """If there are exactly ten annotations, all are shown."""
    assert not any("more checks" in line for line in annotations(summaries.many_failures(5)))


def test_words_cannot_make_commands() -> None:
    """A line break in a summary would start another workflow command, so it is escaped."""
    (line,) = annotations(summaries.hostile())
    assert "\n" not in line
    assert "%0A" in line
    assert outputs(summaries.hostile()).count("\n") == 3


def test_outputs_name_the_verdict() -> None:
    """Later steps of a job read verdict, P99 and report."""
    assert outputs(summaries.passed()).splitlines()[0] == "verdict=pass"
    assert outputs(summaries.empty()).splitlines()[1] == "p99_ms="
