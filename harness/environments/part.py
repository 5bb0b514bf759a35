"""One part of a running cluster, in any environment."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from harness.model.cluster import Endpoint

P = TypeVar("P")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part(Generic[P]):
    """``process`` is its child process or container. ``until_ready`` waits until the part answers again after a
    fault and raises EnvironmentFailure when it does not. ``endpoint`` is where a database or a broker answers."""

    process: P
    until_ready: Callable[[], Awaitable[None]]
    endpoint: Endpoint | None = None
