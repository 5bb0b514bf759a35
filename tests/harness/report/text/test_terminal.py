import io
from dataclasses import replace

import pytest
from rich.console import Console

from harness.model.finding import Verdict
from harness.model.measurements.claims import Outcome
from harness.report.text.terminal import plain_lines, render_verdict
from tests.harness.report import outage_verdicts, verdicts


def shown(verdict: Verdict, *, terminal: bool, width: int = 80) -> str:
    out = io.StringIO()
    Console(file=out, force_terminal=terminal, width=width, color_system="truecolor", soft_wrap=not terminal).print(
        render_verdict(verdict)
    )
    return out.getvalue()


@pytest.mark.parametrize("verdict", [verdicts.passed(), verdicts.failed(), verdicts.empty(), outage_verdicts.outage()])
@pytest.mark.parametrize("width", [40, 80, 160])
def test_every_criterion_is_shown_at_any_width(verdict: Verdict, width: int) -> None:
    """The status and the checks are shown at every width of the window."""
    text = shown(verdict, terminal=True, width=width)
    assert verdict.status.upper() in text
    for finding in verdict.findings:
        assert finding.check[:6] in text


def test_without_a_terminal_there_are_plain_lines() -> None:
    """A log holds no colour and no box, and no line depends on a width."""
    text = shown(verdicts.failed(), terminal=False)
    assert "\x1b" not in text
    assert text.splitlines() == list(plain_lines(verdicts.failed()))
    assert text.startswith("FAIL  scenario-a: 37 of 1 310 000")
    assert "1,199,963 · of 1,200,000 expected · 37 lost" in text


def test_nothing_in_a_verdict_changes_the_terminal() -> None:
    """Escape sequences and line ends in a foreign name have no effect. Square brackets are no markup."""
    findings = (replace(verdicts.failed().findings[4], summary="\x1b[2J\n[red]gone[/]", examples=("a\rb\x07",)),)
    claims = (verdicts.claim("\x1b]0;x\x07", "", None, Outcome.NOT_REACHED),)
    verdict = replace(verdicts.failed(), findings=findings, run=replace(verdicts.measurements(), claims=claims))
    for terminal in (True, False):
        text = shown(verdict, terminal=terminal, width=200)
        assert "\x1b[2J" not in text
        assert "\x1b]0" not in text
        assert "\x07" not in text
        assert "[red]gone[/]" in text


@pytest.mark.parametrize("terminal", [True, False])
def test_the_narrative_of_an_outage_is_in_the_summary(terminal: bool) -> None:
    """The summary has the outage, the answers before and during it, the recovery and both latencies, with colour and
    without."""
    text = shown(outage_verdicts.outage(), terminal=terminal, width=120)
    for words in (
        "Redis was stopped at 5 s (exit code 0) · back after 5.4 s",
        "before 7.04 ms · during 7.4 ms",
        "48 ms to 51 ms after Redis was back",
        "170 ms before Redis was back",
        "14.2 ms · 100,000 deliveries",
        "498 ms · 100,000 deliveries",
    ):
        assert words in text
    assert "back after" not in shown(verdicts.passed(), terminal=terminal, width=120)
