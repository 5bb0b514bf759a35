from dataclasses import replace

from harness.model.expectation import Expectation
from harness.model.finding import Status, Verdict
from harness.model.measurements.percentiles import Percentiles
from harness.report.text.headline import headline
from harness.report.text.quantities import SPACE, THOUSANDS
from harness.report.text.tile import Tile
from tests.harness.report import outage_verdicts, sweep_verdicts, verdicts


def tiles(verdict: Verdict, network_path: str = "") -> dict[str, Tile]:
    return {tile.name: tile for tile in headline(verdict, network_path).tiles}


def test_the_key_figures_of_a_run() -> None:
    """The tiles show deliveries, the limited latency with its interval, completion, rate, cluster and audience."""
    found = tiles(verdicts.passed(), "loopback")
    assert list(found) == [
        "Deliveries",
        "P99 delivery latency",
        "P99 completion latency",
        "Rate",
        "Cluster",
        "Audience",
    ]
    assert found["Deliveries"].status == "pass"
    latency = found["P99 delivery latency"]
    assert (latency.figure, latency.unit, latency.status) == ("61.8", "ms", "pass")
    assert latency.notes == (
        f"limit 100{SPACE}ms",
        f"95{SPACE}% between 57.2{SPACE}ms and 66.1{SPACE}ms",
    )
    assert found["Rate"].notes == (
        f"19{THOUSANDS}994{SPACE}deliveries/s received",
        f"planned 1{THOUSANDS}000{SPACE}messages/s",
    )
    assert found["Cluster"].notes[-1] == "measured over loopback"


def with_finding(verdict: Verdict, check: str, status: Status) -> Verdict:
    findings = tuple(replace(one, status=status) if one.check == check else one for one in verdict.findings)
    return replace(verdict, findings=findings)


def test_the_deliveries_follow_the_finding_that_decides_about_them() -> None:
    """A loss in the warm-up makes the tile red, although the measured window has no loss. The tile says where the loss
    was. Without the finding the tile has no colour."""
    verdict = with_finding(verdicts.passed(), "lost", Status.FAIL)
    assert verdict.run is not None
    assert verdict.run.delivery is not None
    counts = replace(verdict.run.delivery.warm_up, lost=3)
    run = replace(verdict.run, delivery=replace(verdict.run.delivery, warm_up=counts))
    tile = tiles(replace(verdict, run=run))["Deliveries"]
    assert tile.status == "fail"
    assert tile.notes[1:] == ("0 lost", "3 lost outside of the measured window")
    assert tiles(replace(verdict, findings=()))["Deliveries"].status == ""


def test_what_was_undelivered_at_the_end_is_no_good_news() -> None:
    """Nothing was lost, but not everything arrived. The tile is not green and gives the number."""
    verdict = with_finding(verdicts.passed(), "lost", Status.UNKNOWN)
    assert verdict.run is not None
    counts = replace(verdict.run.delivery.measured, undelivered=7)
    run = replace(verdict.run, delivery=replace(verdict.run.delivery, measured=counts))
    tile = tiles(replace(verdict, run=run))["Deliveries"]
    assert tile.status == "unknown"
    assert tile.notes[1:] == ("0 lost", "7 undelivered at the end")


def test_a_loss_is_bad_news() -> None:
    """The deliveries tile is red if a delivery was lost. The latency tile is red if its finding is FAIL."""
    failed = verdicts.failed()
    found = tiles(failed)
    assert (found["Deliveries"].status, found["P99 delivery latency"].status) == ("fail", "unknown")
    decided = tuple(
        replace(finding, status=Status.FAIL) if finding.check == "latency_ms.p99" else finding
        for finding in failed.findings
    )
    assert tiles(replace(failed, findings=decided))["P99 delivery latency"].status == "fail"


def test_an_interval_without_an_upper_end_says_so() -> None:
    """Only the lower end is a number."""
    passed = verdicts.passed()
    assert passed.run is not None
    latency = replace(passed.run.latency, p99_high_ms=None)
    found = tiles(replace(passed, run=replace(passed.run, latency=latency)))
    assert found["P99 delivery latency"].notes[1] == f"57.2{SPACE}ms or more at 97.5{SPACE}%, no upper end"


def test_nothing_measured_is_neither_good_nor_bad() -> None:
    """A missing value reads as unknown. The planned rate is shown in place of the measured rate."""
    found = tiles(verdicts.empty())
    assert (found["Deliveries"].figure, found["Deliveries"].status) == ("–", "unknown")
    assert found["P99 delivery latency"].notes[-1] == "not measured"
    assert found["Rate"].notes[-1] == "not measured"


def test_another_statistic_is_shown_where_the_plan_limits_it() -> None:
    """The limited statistic replaces the P99 and does not have the P99's interval."""
    passed = verdicts.passed()
    wish = Expectation(measure="latency_ms", statistic="p50", limit_ms=10.0)
    found = tiles(replace(passed, plan=replace(passed.plan, expectations=(wish,))))
    assert found["P50 delivery latency"].status == "", "no finding decides about it"
    assert found["P50 delivery latency"].notes == (f"limit 10{SPACE}ms",)


def test_recovered_deliveries_have_a_tile_where_a_fault_was_planned() -> None:
    """The tile says how many deliveries came late, that none did, or that this was not measured."""
    outage = outage_verdicts.outage()
    assert tiles(outage)["Recovered deliveries"].notes == (f"P99 498{SPACE}ms", "filled in from the database")
    assert outage.run is not None
    none = replace(outage.run, recovered_latency=Percentiles())
    assert tiles(replace(outage, run=none))["Recovered deliveries"].notes == ("every delivery came live",)
    assert tiles(replace(outage, run=None))["Recovered deliveries"].notes == ("not measured",)
    assert "Recovered deliveries" not in tiles(verdicts.passed())


def test_a_sweep_has_key_figures_of_its_own() -> None:
    """The tiles show the server counts, all deliveries, the highest P99 and the most clients."""
    found = tiles(sweep_verdicts.passed())
    assert list(found) == ["Servers", "Deliveries", "Highest P99 of a run", "Most clients at once"]
    assert found["Servers"].figure == "2, 4, 8"
    assert found["Highest P99 of a run"].figure == "20"
