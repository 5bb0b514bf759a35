"""The section of a report that draws another run beside its own."""

from dataclasses import dataclass

from harness.model.base_run import BaseRun
from harness.model.finding import Verdict
from harness.report.plots.comparison_figures import comparison_drawings
from harness.report.plots.drawing import Drawing
from harness.report.text.comparison_tables import difference_table
from harness.report.text.criteria import STATUS_WORDS
from harness.report.text.quantities import listed, many
from harness.report.text.table import Table


@dataclass(frozen=True, slots=True, kw_only=True)
class Beside:
    """``sentence`` names BASE and says whether it can be compared with RUN. ``differences`` and ``noted`` are None where
    nothing differs."""

    sentence: str
    comparable: bool
    drawings: tuple[Drawing, ...]
    differences: Table | None
    noted: Table | None


def beside_base(verdict: Verdict, base: BaseRun) -> Beside:
    """The curves of ``base`` and of ``verdict`` in common figures."""
    found = [STATUS_WORDS[one.status] for one in base.verdicts]
    ended = ", ".join(f"{found.count(word)} {word}" for word in dict.fromkeys(found)) if len(found) > 1 else found[0]
    named = f"BASE is {base.name} ({many(len(found), 'run')}: {ended})."
    if base.differences:
        differing = listed(one.what for one in base.differences)
        sentence = f"{named} BASE and RUN are not comparable: they differ in {differing}."
    else:
        sentence = f"{named} Plan and machine are the same. Whether RUN is worse is for harness compare to say."
    return Beside(
        sentence=sentence,
        comparable=not base.differences,
        drawings=comparison_drawings((base.verdicts, (verdict,)), "base", "", (f"BASE {base.name}", "RUN")),
        differences=difference_table("What differs and forbids a comparison", base.differences),
        noted=difference_table("What differs and may", base.noted),
    )
