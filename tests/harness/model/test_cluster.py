from harness.model.cluster import Endpoint, ServerAddress


def test_a_server_has_a_url() -> None:
    assert ServerAddress(name="server-1", host="127.0.0.1", port=8001).url == "http://127.0.0.1:8001"


def test_an_ipv6_address_is_in_brackets() -> None:
    """RFC 3986 §3.2.2: without brackets a colon of the address would look like that before the port."""
    assert ServerAddress(name="server-1", host="::1", port=8001).url == "http://[::1]:8001"


def test_a_password_is_not_in_the_text_of_an_endpoint() -> None:
    """An endpoint may be printed in a message or a log. Its password may not."""
    endpoint = Endpoint(
        kind="postgresql", host="127.0.0.1", port=5432, user="harness", password="hunter2", database="chat"
    )
    assert "hunter2" not in repr(endpoint)
    assert endpoint.arguments["password"] == "hunter2"
    assert endpoint.arguments["database"] == "chat"
