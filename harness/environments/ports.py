"""Free loopback ports."""

import socket
from contextlib import ExitStack


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """``count`` different ports that no program listens on at this moment, chosen by the kernel.

    Another program may take one before the child does; then the child reports it and is started again with another
    port.
    """
    with ExitStack() as held:
        sockets = [held.enter_context(socket.socket(socket.AF_INET, socket.SOCK_STREAM)) for _ in range(count)]
        for each in sockets:
            each.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            each.bind((host, 0))
        return [each.getsockname()[1] for each in sockets]
