"""Connect to a server: with TLS or without, by its name or by an address that needs no name server."""

import asyncio
import errno
import os
import socket
from collections.abc import Callable
from functools import cache
from ipaddress import ip_address
from typing import TypeVar

from harness.model.cluster import ServerAddress
from harness.model.tls import tls_context

P = TypeVar("P", bound=asyncio.Protocol)


async def connect(make: Callable[[], P], address: ServerAddress) -> P:
    """The protocol of a connection to ``address`` that stands, its certificate verified. Raises OSError; a certificate
    that is not accepted is one."""
    loop = asyncio.get_running_loop()
    if address.tls is None:
        if sock := await dial(address.host, address.port):
            _, protocol = await loop.create_connection(make, sock=sock)
        else:
            _, protocol = await loop.create_connection(make, address.host, address.port)
        return protocol
    context = tls_context(address.tls)
    _, protocol = await loop.create_connection(
        make, address.host, address.port, ssl=context, server_hostname=address.host
    )
    return protocol


async def dial(host: str, port: int) -> socket.socket | None:
    """A connected, non-blocking socket; None if ``host`` is a name in place of an address. Raises OSError.

    uvloop's own ``sock_connect`` resolves every host in a thread, even one that is an address already. That is a tenth
    of the cost of a connect for a load worker; this function avoids it.
    """
    family = _family(host)
    if family is None:
        return None
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        error = sock.connect_ex((host, port))
        if error == errno.EINPROGRESS:
            if not _connected(sock):  # over loopback it is connected by now
                await _writable(sock)
            error = sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, os.strerror(error))
    except BaseException:
        sock.close()
        raise
    return sock


@cache
def _family(host: str) -> socket.AddressFamily | None:
    try:
        version = ip_address(host).version
    except ValueError:
        return None
    return socket.AF_INET if version == 4 else socket.AF_INET6


def _connected(sock: socket.socket) -> bool:
    try:
        sock.getpeername()
    except OSError:
        return False
    return True


async def _writable(sock: socket.socket) -> None:
    """Return when the connect has succeeded or failed."""
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_writer(sock, wake)
    try:
        await ready
    finally:
        loop.remove_writer(sock)
