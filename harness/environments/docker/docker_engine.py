"""The Docker engine. Only this module imports the SDK. It makes the blocking calls awaitable and converts the
errors."""

import asyncio
import os
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any, Self, TypeVar

import docker
from docker.context import ContextAPI
from docker.errors import APIError, DockerException, NotFound
from docker.types import EndpointConfig, IPAMConfig, IPAMPool, Ulimit
from urllib3.exceptions import HTTPError

from harness.model.errors import EnvironmentFailure

CALL_TIMEOUT_S = 30.0
"""How long the engine may take for one answer. Calls that are known to take longer have their own limit."""
QUICK_S = 5.0
"""The same for a check whether there is an engine."""
STREAM_TIMEOUT_S = 900.0
"""The longest silence in the middle of a build or a pull: one layer, one `pip install`."""
THREADS = 16

T = TypeVar("T")


class EngineFailure(EnvironmentFailure):
    """The engine refused, failed or did not answer; the message is its own."""


class Absent(EngineFailure):
    """The requested object does not exist."""


class Engine:
    """A connection to the engine. Calls run in threads, at most ``THREADS`` at once. ``sdk`` is the SDK's client."""

    def __init__(self, sdk: Any, address: str, version: str) -> None:
        self.sdk = sdk
        self.address = address
        self.version = version
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="docker")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._threads.shutdown(wait=False)
        self.sdk.close()

    async def call(self, function: Callable[..., T], /, *arguments: Any, **keywords: Any) -> T:
        """``function`` in a thread. Raises Absent and EngineFailure.

        When cancelled it still waits for the function's end, so that the function creates nothing after the teardown.
        Use it only for short calls.
        """

        def work() -> T:
            with engine_errors():
                return function(*arguments, **keywords)

        done = asyncio.get_running_loop().run_in_executor(self._threads, work)
        cancelled = False
        while not done.done():
            try:
                await asyncio.wait({done})
            except asyncio.CancelledError:
                cancelled = True
        if cancelled:
            done.exception()  # the error does not matter: the caller must see the cancellation
            raise asyncio.CancelledError
        return done.result()

    async def follow(
        self, stream: Callable[[], Iterable[Mapping[str, Any]]], see: Callable[[Mapping[str, Any]], None]
    ) -> None:
        """Call ``see`` with everything that ``stream`` yields, as it comes. Raises EngineFailure. When cancelled the
        stream is abandoned in its daemon thread: the thread ends with the process, and the engine ends work for which
        no caller waits. To wait could take as long as a `pip install`.
        """
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        abandoned = threading.Event()

        def finish(error: BaseException | None) -> None:
            if not done.done():
                done.set_result(None) if error is None else done.set_exception(error)

        def tell(callback: Callable[[Any], None], value: Any) -> None:
            if not abandoned.is_set():
                loop.call_soon_threadsafe(callback, value)

        def work() -> None:
            try:
                with engine_errors():
                    for item in stream():
                        if abandoned.is_set():
                            return
                        tell(see, item)
            except BaseException as error:  # handed to the caller
                tell(finish, error)
            else:
                tell(finish, None)

        threading.Thread(target=work, daemon=True, name="docker-stream").start()
        try:
            await done
        finally:
            abandoned.set()

    def create_network(self, name: str, labels: Mapping[str, str], *, subnet: str = "", gateway: str = "") -> Any:
        """A bridge network; the engine chooses the subnet if none is given. Blocking."""
        pool = [IPAMPool(subnet=subnet, gateway=gateway)] if subnet else None
        return self.sdk.networks.create(
            name, driver="bridge", labels=dict(labels), ipam=IPAMConfig(pool_configs=pool) if pool else None
        )

    def create_container(
        self, *, network: str, address: str, aliases: Sequence[str], open_files: int, **options: Any
    ) -> Any:
        """A container with one fixed address in ``network``, not started. Blocking."""
        endpoint = EndpointConfig(self.sdk.api._version, ipv4_address=address, aliases=list(aliases))
        return self.sdk.containers.create(
            network=network,
            networking_config={network: endpoint},
            ulimits=[Ulimit(name="nofile", soft=open_files, hard=open_files)],
            **options,
        )


def connect(*, timeout_s: float = CALL_TIMEOUT_S) -> Engine:
    """The engine that DOCKER_HOST, or else the chosen docker context, points to. Blocking. Raises EnvironmentFailure
    with the reason if none answers.
    """
    environment = dict(os.environ)
    address = environment.get("DOCKER_HOST", "")
    try:
        if not address:
            # Docker Desktop and rootless engines say where they listen in a context; the SDK alone does not look there.
            address = (ContextAPI.get_current_context().Host or "").replace("http+unix", "unix")
            environment |= {"DOCKER_HOST": address} if address else {}
        _knock(address, timeout_s)
        # Room for a connection per thread and the streams, or the SDK logs that it throws connections away.
        sdk = docker.from_env(environment=environment, timeout=timeout_s, max_pool_size=2 * THREADS)
        version = str(sdk.version()["Version"])
    except (DockerException, HTTPError, OSError, ValueError, KeyError) as error:
        raise EnvironmentFailure(
            f"no Docker engine answers at {address or 'its usual address'}: expected a running engine that this user "
            f"may use, found: {_reason(error)}; start it (`systemctl start docker`, Docker Desktop), allow this user "
            "to use it (group docker), point DOCKER_HOST to it, or use --environment embedded"
        ) from error
    return Engine(sdk, address, version)


def _knock(address: str, timeout_s: float) -> None:
    """Check whether a process listens at a socket's path. Raises OSError with the plain reason, which the SDK hides."""
    if address.startswith("unix://"):
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            probe.settimeout(timeout_s)
            probe.connect(address.removeprefix("unix://"))


@contextmanager
def engine_errors() -> Iterator[None]:
    """Convert errors of the SDK and the connection into our own errors, with the engine's message."""
    try:
        yield
    except NotFound as error:
        raise Absent(str(error.explanation or error)) from error
    except APIError as error:
        raise EngineFailure(f"the Docker engine says: {error.explanation or error}") from error
    except (DockerException, HTTPError, OSError) as error:
        raise EngineFailure(f"the Docker engine did not answer: {_reason(error)}") from error


def _reason(error: BaseException) -> str:
    """The part of the error that a person can act on: no such file, permission denied."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror.lower()
    text = str(error)
    for words, meaning in (("refused", "connection refused"), ("timed out", "no answer in time")):
        if words in text:
            return meaning
    return text[:500] or type(error).__name__
