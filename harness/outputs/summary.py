"""Verdict → Summary, Proof → Summary: the input of all outputs."""

from collections.abc import Iterable, Mapping

from harness.measures.entry import began, capacity_status
from harness.measures.keys import key_of, machine_parts, plan_parts
from harness.measures.reading import capacity_measures, measures_of
from harness.model.capacity import Capacity, Found
from harness.model.figure import Figure
from harness.model.finding import Bias, Finding, Verdict
from harness.model.history import Measured
from harness.model.plan import Plan
from harness.model.proof import Proof
from harness.model.status import Status
from harness.model.summary import Case, CaseResult, Summary
from harness.recording.format import Document


def summary_of(
    verdict: Verdict,
    machine: Mapping[str, object],
    events: Iterable[Document],
    *,
    not_applicable: Iterable[str] = (),
    members: Mapping[str, Verdict] | None = None,
    report: str = "",
) -> Summary:
    """``not_applicable`` names the checks that were not asked; ``members`` are the verdicts of a sweep's runs by the
    name of their place, whose measures become the sweep's."""
    every = list(events)
    measures = dict(measures_of(verdict))
    for place, member in (members or {}).items():
        measures |= {f"{place}: {name}": measured for name, measured in measures_of(member).items()}
    plan = verdict.plan
    cases = [_case(finding) for finding in verdict.findings]
    known = {finding.check for finding in verdict.findings}
    cases += [
        Case(name=name, group="not applicable", result=CaseResult.SKIPPED, summary="does not apply to this run")
        for name in not_applicable
        if name not in known
    ]
    return Summary(
        name=plan.scenario,
        title=plan.title,
        status=verdict.status,
        sentence=_sentence(verdict),
        began=began(every),
        took_s=plan.warm_up_s + plan.duration_s,
        cases=tuple(cases),
        measures=measures,
        labels=_labels(plan),
        properties=_properties(plan, machine),
        report=report,
    )


def capacity_summary(
    capacity: Capacity, machine: Mapping[str, object], events: Iterable[Document], *, sentence: str, report: str = ""
) -> Summary:
    """A search: one case, and the load that held as its measure."""
    status = capacity_status(capacity)
    plan = capacity.plan.plan
    case = Case(name="capacity", group="performance", result=CaseResult.of(status), summary=sentence)
    measures: dict[str, Measured] = capacity_measures(capacity) if capacity.found is Found.CAPACITY else {}
    labels = _labels(plan) | {"varied": str(capacity.plan.vary)}
    return Summary(
        name=plan.scenario,
        title=f"{plan.title}: capacity by {capacity.plan.vary}",
        status=status,
        sentence=sentence,
        began=began(list(events)),
        cases=(case,),
        measures=measures,
        labels=labels,
        properties=_properties(plan, machine),
        report=report,
    )


def proof_summary(proof: Proof, *, report: str = "") -> Summary:
    """Each planted bug and control is a case; a row without the expected verdict is a failure."""
    cases = tuple(
        Case(
            name=row.name,
            group=str(row.place),
            result=CaseResult.PASS if row.right else CaseResult.FAIL,
            summary=row.planted,
            measured="; ".join(row.said),
            expected="; ".join(row.demanded),
            details=row.wrong,
        )
        for row in proof.rows
    )
    wrong = sum(not row.right for row in proof.rows)
    status = Status.PASS if proof.right else Status.FAIL if wrong else Status.UNKNOWN
    words = f"{len(proof.rows) - wrong} of {len(proof.rows)} rows had the expected verdict"
    return Summary(
        name="prove",
        title="Planted bugs and controls",
        status=status,
        sentence=words if proof.complete else f"{words}; the series was not tried to its end",
        began=proof.began,
        took_s=proof.took_s,
        cases=cases,
        labels={"scope": proof.scope},
        properties={"machine": proof.machine, "harness": proof.version, "scope": proof.scope},
        report=report,
    )


def figure_words(figure: Figure) -> str:
    """A figure as ``name=value`` pairs: for programs and logs, where a person can search for the name."""
    if not isinstance(figure, Mapping):
        return "" if figure is None else str(figure)
    parts = []
    for name, value in figure.items():
        inner = figure_words(value)
        parts.append(f"{name}=({inner})" if isinstance(value, Mapping) else f"{name}={inner}")
    return " ".join(parts)


def _case(finding: Finding) -> Case:
    details = [f"{finding.samples:,} samples"] if finding.samples else []
    details += [finding.confidence] if finding.confidence else []
    details += [f"bias: {finding.bias}"] if finding.bias else []
    return Case(
        name=finding.check,
        group=str(finding.kind),
        result=_result(finding),
        summary=finding.summary,
        measured=figure_words(finding.measured),
        expected=figure_words(finding.expected),
        details=(*details, *(f"e.g. {example}" for example in finding.examples)),
    )


def _result(finding: Finding) -> CaseResult:
    """The verdict does not count a pessimistic bias alone, so a CI system must not count it either."""
    noted = finding.bias is Bias.PESSIMISTIC and finding.status is not Status.PASS
    return CaseResult.NOTED if noted else CaseResult.of(finding.status)


def _sentence(verdict: Verdict) -> str:
    results = [_result(finding) for finding in verdict.findings]
    count = {result: results.count(result) for result in CaseResult}
    words = f"{count[CaseResult.PASS]} checks passed, {count[CaseResult.FAIL]} failed, "
    words += f"{count[CaseResult.UNKNOWN]} were not decided"
    noted = count[CaseResult.NOTED]
    return f"{words}, {noted} noted that figures may be worse than the system deserves" if noted else words


def _labels(plan: Plan) -> dict[str, str]:
    return {
        "scenario": plan.scenario,
        "environment": plan.environment,
        "backplane": plan.backplane,
        "write_path": plan.write_path,
        "servers": str(plan.servers),
    }


def _properties(plan: Plan, machine: Mapping[str, object]) -> dict[str, str]:
    planned, found = plan_parts(plan), machine_parts(machine)
    return {
        "seed": str(plan.seed),
        "plan_key": key_of(planned),
        "machine_key": key_of(found),
        "server_module": plan.server_module,
        "command": " ".join(("harness", *plan.command)),
        **{f"plan.{name}": value for name, value in planned.items()},
        **{f"machine.{name}": value for name, value in found.items()},
    }
