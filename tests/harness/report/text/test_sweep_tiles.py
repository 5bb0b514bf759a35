from dataclasses import replace

from harness.report.text.sweep_tiles import sweep_tiles
from tests.harness.report import sweep_verdicts, verdicts


def test_a_loss_in_any_run_is_bad_news() -> None:
    """The deliveries tile counts all runs. If no delivery was expected, the tile has no colour."""
    verdict, sweep = sweep_verdicts.passed(), sweep_verdicts.sweep()
    assert sweep_tiles(verdict)[1].status == "pass"
    lost = replace(sweep, delivery=replace(sweep.delivery, lost=1))
    assert sweep_tiles(replace(verdict, sweep=lost))[1].status == "fail"
    nothing = replace(sweep, delivery=replace(sweep.delivery, expected=0), latency=None)
    tiles = sweep_tiles(replace(verdict, sweep=nothing))
    assert (tiles[1].status, tiles[2].figure) == ("", "–")


def test_a_single_run_has_no_tiles_of_a_sweep() -> None:
    """The headline of a single run has other key figures."""
    assert sweep_tiles(verdicts.passed()) == ()
