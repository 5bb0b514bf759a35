"""--markdown: short and safe, with failures first."""

from dataclasses import replace

from harness.model.summary import Case, CaseResult
from harness.outputs.markdown import BYTES_MAX, bounded, render
from tests.harness.outputs import summaries


def test_what_failed_stands_first_with_its_numbers() -> None:
    """The first row of the table is the failure that decided."""
    rows = [line for line in render(summaries.failed()).splitlines() if line.startswith("| FAIL")]
    assert rows
    assert "lost" in rows[0]
    assert "lost=37" in rows[0]


def test_hostile_words_make_no_markup() -> None:
    """Hostile text does not break the table and adds no HTML."""
    shown = render(summaries.hostile())
    row = next(line for line in shown.splitlines() if line.startswith("| FAIL"))
    assert row.replace(r"\|", "").count("|") == 6
    assert "<d>" not in shown


def test_it_stays_below_the_limit() -> None:
    """With any number of checks the file fits into a step's summary many times."""
    case = Case(name="check", group="safety", result=CaseResult.FAIL, summary="é" * 400, measured="x" * 400)
    shown = render(replace(summaries.empty(), cases=(case,) * 1000))
    assert len(shown.encode()) <= BYTES_MAX
    assert "cut here" in shown
    assert bounded("short\n") == "short\n"
