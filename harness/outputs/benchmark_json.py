"""The list that github-action-benchmark reads with the tool ``customSmallerIsBetter``."""

import json

from harness.model.measure import MEASURES
from harness.model.summary import Summary


def render(summary: Summary) -> str:
    """One object for each measure of which less is better. A capacity is left out: a file has only one direction, and a
    second file would need a second action."""
    found = []
    for name, measured in summary.measures.items():
        place, _, plain = name.rpartition(": ")
        measure = MEASURES.find(plain)
        if measure is None or not measure.lower_is_better:
            continue
        entry: dict[str, str | float] = {
            "name": f"{summary.name} {place}: {measure.title}" if place else f"{summary.name}: {measure.title}",
            "unit": measure.unit,
            "value": measured.value,
        }
        if measured.low is not None and measured.high is not None:
            entry["range"] = f"{measured.low:.6g} - {measured.high:.6g}"
        entry["extra"] = f"verdict: {summary.status}"
        found.append(entry)
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"
