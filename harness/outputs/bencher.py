"""Bencher Metric Format: benchmark → measure → value with its ends (bencher.dev)."""

import json

from harness.model.summary import Summary


def render(summary: Summary) -> str:
    """The benchmark is the suite with its labels, so that runs of different shapes are different benchmarks; the place
    in a sweep follows it."""
    shape = " ".join((summary.name, *(value for name, value in summary.labels.items() if name != "scenario")))
    document: dict[str, dict[str, dict[str, float]]] = {}
    for name, measured in summary.measures.items():
        place, _, measure = name.rpartition(": ")
        metric = {"value": measured.value}
        if measured.low is not None:
            metric["lower_value"] = measured.low
        if measured.high is not None:
            metric["upper_value"] = measured.high
        document.setdefault(f"{shape} {place}".strip(), {})[measure] = metric
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"
