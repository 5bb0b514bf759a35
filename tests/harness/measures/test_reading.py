"""The measures that a verdict gives."""

from dataclasses import replace

import numpy as np
import pytest

from harness.measures.reading import measures_of
from harness.model.finding import Series, Verdict
from harness.model.measure import MEASURES
from tests.harness.report import outage_verdicts, verdicts


def test_every_measure_of_a_run_is_a_known_one() -> None:
    """The names are those of the registry, and the values are positive."""
    outage = outage_verdicts.recovering(outage_verdicts.outage(), backfilled_s=2.5)
    found = measures_of(verdicts.passed()) | measures_of(outage)
    assert set(found) <= set(MEASURES.names)
    assert {"servers_cpu_us_per_delivery", "delivery_p99_ms", "recovery_backfilled_s"} <= set(found)
    assert all(measured.value > 0 for measured in found.values())


def test_cpu_per_delivery_is_cores_over_deliveries() -> None:
    """One core for 1,000 deliveries a second is 1,000 µs for each delivery."""
    verdict = verdicts.passed()
    assert verdict.run is not None
    cores = sum(server.cpu_cores or 0 for server in verdict.run.servers)
    expected = cores * 1e6 / (verdict.run.rates.deliveries_hz or 1)
    assert measures_of(verdict)["servers_cpu_us_per_delivery"].value == pytest.approx(expected)


def test_the_servers_are_compared_with_the_load_generator() -> None:
    """A machine that is slower by a third slows both. The ratio of their CPU stays."""
    verdict = verdicts.passed()
    assert verdict.run is not None
    slow = replace(
        verdict.run,
        servers=tuple(replace(server, cpu_cores=(server.cpu_cores or 0) * 1.33) for server in verdict.run.servers),
        workers=tuple(replace(worker, cpu_cores=(worker.cpu_cores or 0) * 1.33) for worker in verdict.run.workers),
        publisher=replace(verdict.run.publisher, cpu_cores=(verdict.run.publisher.cpu_cores or 0) * 1.33),
    )
    ratios = [
        measures_of(replace(verdict, run=run))["servers_to_generator_cpu_ratio"].value for run in (verdict.run, slow)
    ]
    servers = sum(server.cpu_cores or 0 for server in verdict.run.servers)
    generator = sum(worker.cpu_cores or 0 for worker in verdict.run.workers) + (verdict.run.publisher.cpu_cores or 0)
    assert ratios == [pytest.approx(servers / generator)] * 2


def test_a_server_without_a_figure_leaves_no_sum() -> None:
    """A sum over only some servers would look like an improvement."""
    verdict = verdicts.passed()
    assert verdict.run is not None
    first, *others = verdict.run.servers
    run = replace(verdict.run, servers=(replace(first, cpu_cores=None), *others))
    assert "servers_cpu_us_per_delivery" not in measures_of(replace(verdict, run=run))


def cpu_series(seconds: int) -> Verdict:
    noise = np.random.default_rng(1).normal(1.0, 0.1, seconds)
    series = Series(
        x_label="s", y_label="cores", x=tuple(map(float, range(seconds))), lines={"servers": tuple(noise.tolist())}
    )
    return replace(verdicts.passed(), series={"cpu": series})


def test_long_runs_give_an_interval_of_their_cpu() -> None:
    """Runs of 20 seconds or longer have an interval. A shorter run has none, which is not the same as a narrow one."""
    measured = measures_of(cpu_series(60))["servers_cpu_us_per_delivery"]
    assert measured.low is not None
    assert measured.high is not None
    assert measured.low < measured.value < measured.high
    assert measures_of(cpu_series(10))["servers_cpu_us_per_delivery"].low is None


def test_a_p99_without_an_upper_end_has_no_interval() -> None:
    """An interval with one end would look narrower than it is."""
    verdict = verdicts.passed()
    assert verdict.run is not None
    run = replace(verdict.run, latency=replace(verdict.run.latency, p99_low_ms=50.0, p99_high_ms=None))
    measured = measures_of(replace(verdict, run=run))["delivery_p99_ms"]
    assert (measured.low, measured.high) == (None, None)
