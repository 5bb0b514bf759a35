from harness.model.backplane import BACKPLANES, Backplane
from harness.model.component import COMPONENT_KINDS, ComponentKind, Role
from harness.report.text.component_titles import broker_title, database_title, kind_title
from tests.harness.plans import a_plan

KIND = ComponentKind(
    name="pigeon",
    role=Role.BROKER,
    title="Pigeon Post",
    adapter="nowhere:Pigeon",
    variable="HARNESS_PIGEON",
    schemes=("pigeon",),
    example="pigeon://HOST:1",
    default_port=1,
)


def test_titles_come_from_the_registries() -> None:
    """A new kind of broker has its title in the report, and the report needs no change."""
    backplane = Backplane(name="pigeons", title="pigeons", broker="pigeon")
    with COMPONENT_KINDS.added(KIND), BACKPLANES.added(backplane):
        assert broker_title(a_plan(backplane="pigeons")) == "Pigeon Post"
    assert database_title() == "PostgreSQL"


def test_what_the_registry_does_not_know_keeps_its_name() -> None:
    """A verdict of another installation can still be shown."""
    assert kind_title("unheard of") == "unheard of"
    assert broker_title(a_plan(backplane="unheard of")) == "broker"
    assert broker_title(a_plan(backplane="memory")) == "broker"
