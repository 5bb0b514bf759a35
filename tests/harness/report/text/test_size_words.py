from dataclasses import replace

from harness.model.plan import Plan
from harness.model.scenario import Size
from harness.report.text.size_words import size_line
from tests.harness.report.verdicts import a_large_plan

OWN: Plan = replace(a_large_plan(), reductions=(), forced=False, size=Size.FULL)


def test_what_was_lowered_is_named_with_what_it_is_now() -> None:
    """The page shows this line while its table is folded."""
    assert size_line(a_large_plan()) == "Not the scenario’s own size: audience lowered to 20 clients per channel"


def test_smoke_size_and_force_are_told() -> None:
    """Smoke size means that the figures say little. --force is a reason why they may be bad."""
    assert size_line(replace(OWN, size=Size.SMOKE)).startswith("Not the scenario’s own size: smoke size")
    assert size_line(replace(OWN, forced=True)).startswith("The scenario’s own size; run with --force")


def test_the_scenarios_own_size_needs_no_word() -> None:
    """The exception is a run with pilots, because their table is folded behind the line."""
    assert size_line(OWN) == ""
    assert size_line(OWN, piloted=True) == "The scenario’s own size"
