"""The facts about a run's size that a reader needs before its figures, in one line."""

from harness.model.plan import Plan
from harness.model.scenario import Size


def size_line(plan: Plan, *, piloted: bool = False) -> str:
    """Empty if the run has the scenario's own size and no pilot was made."""
    notes = []
    if plan.reductions:
        notes.append(", ".join(f"{cut.what} lowered to {cut.planned}" for cut in plan.reductions))
    if plan.size is Size.SMOKE:
        notes.append("smoke size: it shows that everything works, not the capacity")
    if plan.forced:
        notes.append("run with --force: the predicted need was more than this machine has")
    if plan.reductions or plan.size is Size.SMOKE:
        return f"Not the scenario’s own size: {'; '.join(notes)}"
    if notes or piloted:
        return "; ".join(["The scenario’s own size", *notes])
    return ""
