import socket

from harness.environments.ports import free_ports


def test_the_ports_are_different_and_free() -> None:
    """Each port can be bound immediately."""
    ports = free_ports(20)
    assert len(set(ports)) == 20
    for port in ports:
        with socket.socket() as listener:
            listener.bind(("127.0.0.1", port))
