"""A summary in Markdown, for a step's summary, a comment or a chat. Stays far below the limit of a step's summary."""

from harness.model.measure import MEASURES
from harness.model.summary import Case, CaseResult, Summary

BYTES_MAX = 60 * 1024
"""A step's summary on GitHub may have 1,024 KiB for all commands of the step together; what is longer is dropped
whole."""
_WORDS = {CaseResult.FAIL: "FAIL", CaseResult.UNKNOWN: "UNKNOWN", CaseResult.NOTED: "noted"}
_SIGNS = {"pass": "✅", "fail": "❌", "unknown": "❔"}
_SENTENCE_MAX = 500


def render(summary: Summary) -> str:
    """The verdict, every check that did not pass, the measures, the passed checks as a list that unfolds, the
    machine."""
    parts = [
        f"## {_SIGNS[str(summary.status)]} {_plain(summary.title)}: {summary.status.upper()}",
        _plain(summary.sentence) + ".",
        *_trouble(summary),
        *_measures(summary),
        *_folded("Checks that passed", [case.name for case in summary.cases if case.result is CaseResult.PASS]),
        *_folded("Not applicable", [case.name for case in summary.cases if case.result is CaseResult.SKIPPED]),
        *_folded("Machine, plan, seed", [f"{name}: {value}" for name, value in summary.properties.items()]),
    ]
    if summary.report:
        parts.append(f"Report: {_plain(summary.report)}")
    return bounded("\n\n".join(parts) + "\n")


def bounded(text: str) -> str:
    """``text``, cut at a line so that it is no longer than BYTES_MAX."""
    content = text.encode(errors="replace")
    if len(content) <= BYTES_MAX:
        return content.decode()
    kept = content[: BYTES_MAX - 200].decode(errors="ignore").rpartition("\n")[0]
    return f"{kept}\n\n… cut here: the report has the rest\n"


def _trouble(summary: Summary) -> list[str]:
    found = [case for case in summary.worst_first if case.result in _WORDS]
    if not found:
        return []
    rows = ["| | check | what was found | measured | expected |", "|---|---|---|---|---|"]
    return ["\n".join([*rows, *(_row(case) for case in found)])]


def _row(case: Case) -> str:
    cells = (_WORDS[case.result], case.name, case.summary, case.measured, case.expected)
    return "| " + " | ".join(_plain(cell) for cell in cells) + " |"


def _measures(summary: Summary) -> list[str]:
    if not summary.measures:
        return []
    rows = ["| measure | value | 95 % interval |", "|---|---:|---|"]
    for name, measured in summary.measures.items():
        place, _, plain = name.rpartition(": ")
        measure = MEASURES.find(plain)
        title, unit = (measure.title, measure.unit) if measure else (plain, "")
        ends = "" if measured.low is None or measured.high is None else f"{measured.low:.4g} – {measured.high:.4g}"
        where = f"{place}: " if place else ""
        rows.append(f"| {_plain(where + title)} | {measured.value:.4g} {unit} | {ends} |")
    return ["\n".join(rows)]


def _folded(title: str, lines: list[str]) -> list[str]:
    if not lines:
        return []
    listed = "\n".join(f"- {_plain(line)}" for line in lines)
    return [f"<details><summary>{title} ({len(lines)})</summary>\n\n{listed}\n\n</details>"]


def _plain(words: str) -> str:
    """Untrusted text in a cell or a line: no markup of Markdown or HTML, no line break."""
    cut = words if len(words) <= _SENTENCE_MAX else words[: _SENTENCE_MAX - 1] + "…"
    escaped = cut.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace("\\", "\\\\")
    for sign in "|`*[]":
        escaped = escaped.replace(sign, f"\\{sign}")
    return " ".join(escaped.split())
