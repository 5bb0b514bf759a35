from dataclasses import replace

from harness.report.plots.sweep_figures import sweep_drawings
from tests.harness.report import sweep_verdicts
from tests.harness.report.page.test_sweep_page import drawn


def test_every_figure_that_the_scenario_asks_for_is_drawn() -> None:
    """The figures show latency on both curves, the broker's CPU and bandwidth, CPU per message, and efficiency. Each
    has its range in words."""
    figures = {drawing.name: drawing for drawing in drawn()}
    wanted = {"latency_constant", "latency_weak", "broker_cpu", "broker_bandwidth", "system_cpu", "efficiency"}
    assert wanted <= set(figures)
    assert all(drawing.png.startswith(b"\x89PNG") and "servers" in drawing.summary for drawing in figures.values())


def test_titles_name_the_products_of_the_run() -> None:
    """The title of the broker follows from the plan's backplane."""
    titles = {drawing.name: drawing.title for drawing in drawn()}
    assert titles["broker_cpu"] == "Redis: CPU per message"
    assert titles["queries"].startswith("PostgreSQL: ")


def test_a_figure_without_points_is_not_drawn() -> None:
    """A sweep without runs has only the efficiency figure. Without efficiencies it has no figure."""
    verdict = sweep_verdicts.passed()
    sweep = replace(sweep_verdicts.sweep(), runs=(), fits=())
    assert [drawing.name for drawing in sweep_drawings(replace(verdict, sweep=sweep))] == ["efficiency"]
    assert sweep_drawings(replace(verdict, sweep=replace(sweep, efficiency=()))) == ()
