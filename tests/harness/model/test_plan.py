from tests.harness.plans import a_plan


def test_deliveries_per_second_are_rate_times_audience() -> None:
    assert a_plan(clients=4, audience=4, rate_hz=50.0).deliveries_per_s == 200.0


def test_how_certificates_are_verified_is_said_where_there_are_some() -> None:
    """A cluster without TLS has no such text."""
    assert a_plan(server_urls=("http://h",)).certificates == ""
    secure = ("https://h", "http://i")
    assert a_plan(server_urls=secure).certificates == "verified with the system's authorities"
    assert a_plan(server_urls=secure, ca_file="a.pem").certificates == "verified with a.pem"
    assert a_plan(server_urls=secure, insecure=True).certificates.startswith("not verified")
