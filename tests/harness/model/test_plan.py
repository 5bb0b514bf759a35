from tests.harness.plans import a_plan


def test_deliveries_per_second_are_rate_times_audience() -> None:
    assert a_plan(clients=4, audience=4, rate_hz=50.0).deliveries_per_s == 200.0
