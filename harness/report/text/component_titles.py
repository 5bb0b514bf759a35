"""The titles of a run's products, e.g. ``PostgreSQL``, from the registries of the model."""

from harness.model.backplane import BACKPLANES
from harness.model.component import COMPONENT_KINDS, DATABASE_KIND
from harness.model.plan import Plan


def database_title() -> str:
    return kind_title(DATABASE_KIND)


def broker_title(plan: Plan) -> str:
    """The broker that the plan's backplane needs; ``broker`` if it needs none or is not known here."""
    backplane = BACKPLANES.find(plan.backplane)
    return "broker" if backplane is None or backplane.broker is None else kind_title(backplane.broker)


def kind_title(kind: str) -> str:
    """The title of a kind of component; the kind itself if the registry does not know it."""
    found = COMPONENT_KINDS.find(kind)
    return kind if found is None else found.title
