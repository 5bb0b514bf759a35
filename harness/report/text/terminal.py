"""The verdict in a terminal: tables and colour; plain lines if the output is not a terminal."""

from collections.abc import Iterator

from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.table import Table as RichTable
from rich.text import Text

from harness.model.finding import Status, Verdict
from harness.model.measurements.claims import Outcome
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.headline import headline
from harness.report.text.narrative import key_lines
from harness.report.text.quantities import SPACE, THOUSANDS, formatted
from harness.report.text.reason import ranked
from harness.report.text.step_tables import step_table
from harness.report.text.table import Table

_STYLES = {Status.PASS: "bold green", Status.UNKNOWN: "bold yellow", Status.FAIL: "bold red"}
_OUTCOME_STYLES = {Outcome.SUPPORTED: "green", Outcome.CONTRADICTED: "red", Outcome.NOT_REACHED: "yellow"}
_EXAMPLES_MAX = 3


def render_verdict(verdict: Verdict) -> RenderableType:
    """A compact summary for a `rich.console.Console`: status, criteria, key figures, steps, claims, decisions."""
    return _Summary(verdict)


def plain_lines(verdict: Verdict) -> Iterator[str]:
    """The same as lines of text, without colour, control characters or a fixed width."""
    top = headline(verdict)
    yield _clean(f"{top.word}  {verdict.plan.scenario}: {top.sentence}")
    if verdict.plan.certificates:
        yield _clean(f"  certificates: {verdict.plan.certificates}")
    for cut in verdict.plan.reductions:
        yield _clean(f"  reduced: {cut.wanted} → {cut.planned}")
    for tile in top.tiles:
        yield _clean(
            f"  {tile.name:<26}  {tile.figure} {tile.unit}".rstrip()
            + "".join(f" · {note}" for note in tile.notes if note)
        )
    for name, figures in key_lines(verdict):
        yield _clean(f"  {name:<26}  {figures}")
    for finding in ranked(verdict.findings):
        measured, expected = formatted(finding.measured), formatted(finding.expected)
        yield _clean(f"  {STATUS_WORDS[finding.status]:<8} {finding.check}: {finding.summary}")
        if finding.status is not Status.PASS:
            yield _clean(f"           measured {measured}; expected {expected}")
            for example in finding.examples[:_EXAMPLES_MAX]:
                yield _clean(f"           e.g. {example}")
    if steps := step_table(verdict.run.steps if verdict.run else None):
        for row in steps.rows:
            figures = " · ".join(f"{name} {cell.text}" for name, cell in zip(steps.columns[1:], row[1:], strict=True))
            yield _clean(f"  {row[0].text:<26}  {figures}")
    for name, figures, outcome in _claims(verdict):
        yield _clean(f"  {outcome:<13} {name}: {figures}")


class _Summary:
    def __init__(self, verdict: Verdict) -> None:
        self._verdict = verdict

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        if not console.is_terminal:
            for line in plain_lines(self._verdict):
                yield Text(line)
            return
        yield from _blocks(self._verdict)


def _blocks(verdict: Verdict) -> Iterator[RenderableType]:
    top = headline(verdict)
    yield Text.assemble("\n", (top.word, _STYLES[top.status]), "  ", _clean(top.sentence))
    yield Text(_clean(verdict.plan.claim), style="dim")
    if verdict.plan.certificates:
        style = "bold yellow" if verdict.plan.insecure else "dim"
        yield Text(_clean(f"certificates: {verdict.plan.certificates}"), style=style)
    for cut in verdict.plan.reductions:
        yield Text(_clean(f"reduced: {cut.wanted} → {cut.planned}"), style="yellow")
    yield Text("")
    key = _grid()
    for tile in top.tiles:
        style = "bold red" if tile.status == "fail" else "bold"
        notes = _clean(" · ".join(note for note in tile.notes if note))
        key.add_row(
            Text(tile.name, style="dim"),
            Text(_clean(f"{tile.figure} {tile.unit}".rstrip()), style=style),
            Text(notes, style="dim"),
        )
    yield key
    if lines := key_lines(verdict):
        yield Text("")
        narrative = _grid()
        for name, figures in lines:
            narrative.add_row(Text(_clean(name), style="dim"), Text(_clean(figures)))
        yield narrative
    yield Text("")
    yield _criteria(verdict)
    yield from _reasons(verdict)
    if steps := step_table(verdict.run.steps if verdict.run else None):
        yield Text("")
        yield _table(steps)
    if claims := list(_claims(verdict)):
        yield Text("")
        grid = _grid()
        for name, figures, outcome in claims:
            grid.add_row(
                Text(outcome.value, style=_OUTCOME_STYLES[outcome]),
                Text(_clean(name)),
                Text(_clean(figures), style="dim"),
            )
        yield grid


def _criteria(verdict: Verdict) -> RichTable:
    grid = RichTable(box=None, pad_edge=False, header_style="dim")
    for heading in ("", "check", "measured", "expected"):
        grid.add_column(heading, overflow="fold")
    for finding in ranked(verdict.findings):
        grid.add_row(
            Text(STATUS_WORDS[finding.status], style=_STYLES[finding.status]),
            Text(_clean(finding.check)),
            Text(_clean(formatted(finding.measured))),
            Text(_clean(formatted(finding.expected)), style="dim"),
        )
    return grid


def _reasons(verdict: Verdict) -> Iterator[Text]:
    """Summary and examples of each finding that did not pass."""
    for finding in ranked(verdict.findings):
        if finding.status is not Status.PASS:
            yield Text.assemble("\n", (_clean(finding.check), _STYLES[finding.status]), "  ", _clean(finding.summary))
            for example in finding.examples[:_EXAMPLES_MAX]:
                yield Text(_clean(f"  e.g. {example}"), style="dim")


def _table(data: Table) -> RichTable:
    grid = RichTable(box=None, pad_edge=False, header_style="dim")
    for name, cell in zip(data.columns, data.rows[0], strict=True):
        grid.add_column(_clean(name), justify="right" if cell.numeric else "left")
    for row in data.rows:
        grid.add_row(*(Text(_clean(cell.text)) for cell in row))
    return grid


def _grid() -> RichTable:
    grid = RichTable.grid(padding=(0, 2, 0, 0))
    for _ in range(3):
        grid.add_column(overflow="fold")
    return grid


def _claims(verdict: Verdict) -> Iterator[tuple[str, str, Outcome]]:
    """Claims and decisions as (name, figures, outcome)."""
    for claim in verdict.claims:
        figures = f"measured {formatted(claim.measured)}, claimed {formatted(claim.expected)}"
        yield claim.claim, figures, claim.status
    for decision in verdict.decisions:
        yield f"{decision.adr} {decision.title}", decision.evidence, decision.status


def _clean(text: str) -> str:
    """``text`` without control characters, which could change the terminal, and with commas between thousands."""
    spaced = text.replace(THOUSANDS, ",").replace(SPACE, " ")
    return "".join(letter if letter.isprintable() else "?" for letter in spaced)
