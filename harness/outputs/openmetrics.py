"""OpenMetrics text: gauges only, without timestamps, so that the older Prometheus format's readers take it as well
(node-exporter's text-file collector, Pushgateway)."""

import math
import re

from harness.model.measure import MEASURES
from harness.model.status import Status
from harness.model.summary import CaseResult, Summary

_UNITS = (("_us_per_delivery", "_seconds_per_delivery", 1e-6), ("_ms", "_seconds", 1e-3), ("_s", "_seconds", 1.0))
_ENDS = (("value", ""), ("low", "_low"), ("high", "_high"))


def render(summary: Summary) -> str:
    """Families ``harness_<measure>`` in base units, with the ends of the interval as separate families, if a run has
    one; ``harness_verdict`` has a sample for each word, of which one is 1; ``harness_checks`` counts by result."""
    labels = {"suite": summary.name, **summary.labels}
    lines: list[str] = []
    _family(lines, "harness_verdict", "1 for the verdict that the run got, else 0.")
    lines += [_sample("harness_verdict", labels | {"verdict": word}, float(word == summary.status)) for word in Status]
    _family(lines, "harness_checks", "How many checks have this result.")
    lines += [_sample("harness_checks", labels | {"result": word}, summary.count(word)) for word in CaseResult]
    families: dict[str, list[str]] = {}
    titles: dict[str, str] = {}
    for name, measured in summary.measures.items():
        place, _, measure = name.rpartition(": ")
        known = MEASURES.find(measure)
        for end, ending in _ENDS:
            value = getattr(measured, end)
            if value is not None:
                family, scale = _family_of(measure, ending)
                titles[family] = (known.title if known else measure) + (f", {end} end of 95 %" if ending else "")
                where = labels | ({"place": place} if place else {})
                families.setdefault(family, []).append(_sample(family, where, value * scale))
    for family, samples in families.items():
        _family(lines, family, f"{titles[family]}.")
        lines += samples
    return "\n".join([*lines, "# EOF", ""])


def _family_of(measure: str, ending: str) -> tuple[str, float]:
    """The name in base units, and the factor for its values."""
    base, scale = measure, 1.0
    for unit, wanted, factor in _UNITS:
        if measure.endswith(unit):
            base, scale = measure.removesuffix(unit) + wanted, factor
            break
    return "harness_" + re.sub(r"[^a-zA-Z0-9_]", "_", base) + ending, scale


def _family(lines: list[str], name: str, words: str) -> None:
    lines.append(f"# TYPE {name} gauge")
    lines.append(f"# HELP {name} {_escaped(words)}")


def _sample(name: str, labels: dict[str, str], value: float) -> str:
    shown = ",".join(f'{key}="{_escaped(text)}"' for key, text in labels.items())
    return f"{name}{{{shown}}} {'NaN' if math.isnan(value) else f'{value:.9g}'}"


def _escaped(words: str) -> str:
    return words.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
