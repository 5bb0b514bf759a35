"""JUnit XML as Jenkins, GitLab, Azure and GitHub's actions read it. One suite; one test case for each check."""

import re
from xml.etree import ElementTree as Xml  # only written here, never read

from harness.model.summary import Case, CaseResult, Summary

_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""characters that XML 1.0 cannot hold, not even escaped"""
_TAGS = {
    CaseResult.FAIL: "failure",
    CaseResult.UNKNOWN: "error",
    CaseResult.NOTED: "skipped",
    CaseResult.SKIPPED: "skipped",
}


def render(summary: Summary) -> str:
    """FAIL is a failure with its numbers, UNKNOWN an error, not applicable is skipped. A finding that does not change
    the verdict is skipped with its summary: the file is red exactly if the verdict is."""
    counts = {
        "tests": str(len(summary.cases)),
        "failures": str(summary.count(CaseResult.FAIL)),
        "errors": str(summary.count(CaseResult.UNKNOWN)),
        "skipped": str(summary.count(CaseResult.SKIPPED) + summary.count(CaseResult.NOTED)),
    }
    took = {} if summary.took_s is None else {"time": f"{summary.took_s:.3f}"}
    root = Xml.Element("testsuites", _clean({"name": "harness", **counts, **took}))
    # A time zone is not in the schema's type; without one it is UTC by the schema's own words.
    stamp = {"timestamp": summary.began[:19]} if re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d", summary.began) else {}
    suite = Xml.SubElement(root, "testsuite", _clean({"name": summary.name, **counts, **took, **stamp}))
    properties = Xml.SubElement(suite, "properties")
    for name, value in {"verdict": str(summary.status), **summary.properties}.items():
        Xml.SubElement(properties, "property", _clean({"name": name, "value": value}))
    for case in summary.worst_first:
        _add(suite, summary, case)
    lines = [f"{summary.status.upper()}: {summary.sentence}"] + (
        [f"report: {summary.report}"] if summary.report else []
    )
    Xml.SubElement(suite, "system-out").text = _text("\n".join(lines))
    Xml.indent(root)
    return '<?xml version="1.0" encoding="UTF-8"?>\n' + Xml.tostring(root, encoding="unicode") + "\n"


def _add(suite: Xml.Element, summary: Summary, case: Case) -> None:
    # Times of single checks are not measured: readers expect 0 then.
    attributes = {"name": case.name, "classname": f"{summary.name}.{case.group.replace(' ', '-')}", "time": "0"}
    element = Xml.SubElement(suite, "testcase", _clean(attributes))
    tag = _TAGS.get(case.result)
    if tag == "skipped":
        Xml.SubElement(element, tag, _clean({"message": case.summary}))
    elif tag is not None:
        result = Xml.SubElement(element, tag, _clean({"message": case.summary, "type": case.group}))
        parts = [case.summary]
        parts += [f"measured: {case.measured}"] if case.measured else []
        parts += [f"expected: {case.expected}"] if case.expected else []
        result.text = _text("\n".join((*parts, *case.details)))


def _clean(attributes: dict[str, str]) -> dict[str, str]:
    return {name: _text(value) for name, value in attributes.items()}


def _text(words: str) -> str:
    return _NOT_XML.sub("\ufffd", words)
