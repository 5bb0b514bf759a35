"""The watch over containers, with a hand-made stream of events."""

import asyncio
import queue
from collections.abc import Callable, Iterator
from types import SimpleNamespace
from typing import Any

from harness.environments.docker.container_events import ContainerWatch
from harness.environments.docker.owner import Owner
from tests.reference_server.fakes import until


class Stream:
    """Yields events until it is closed. An exception in the queue is raised."""

    def __init__(self) -> None:
        self.events: queue.Queue[Any] = queue.Queue()

    def __iter__(self) -> Iterator[Any]:
        while (event := self.events.get()) is not None:
            if isinstance(event, Exception):
                raise event
            yield event

    def close(self) -> None:
        self.events.put(None)


class FakeEngine:
    def __init__(self, stream: Stream) -> None:
        self.filters: Any = None
        self.sdk = SimpleNamespace(events=self._events)
        self._stream = stream

    def _events(self, *, decode: bool, filters: Any) -> Stream:
        self.filters = filters
        return self._stream

    async def call(self, work: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        return await asyncio.to_thread(work, *arguments, **named)


class FakeContainer:
    def __init__(self, number: str) -> None:
        self.handle = SimpleNamespace(id=number)
        self.casualty: str | None = None

    def saw_end(self) -> None:
        self.casualty = f"{self.handle.id} ended"


def watched(*events: Any) -> list[str]:
    """The casualties after these events. The watch knows the containers "a" and "b"."""

    async def main() -> list[str]:
        stream = Stream()
        engine: Any = FakeEngine(stream)
        watch = ContainerWatch(engine, Owner(machine="m", boot="b", pids="p", pid=1, started="s"))
        async with watch:
            assert engine.filters["event"] == "die"
            for number in ("a", "b"):
                container: Any = FakeContainer(number)
                watch.add(container)
            for event in events:
                stream.events.put(event)
            if events:
                await until(watch.casualties)
            return list(watch.casualties())

    return asyncio.run(main())


def test_an_end_belongs_to_its_container() -> None:
    """Events of other runs' containers are ignored."""
    assert watched({"id": "x"}, {}, {"id": "b"}) == ["b ended"]


def test_nothing_is_lost_where_nothing_happens() -> None:
    """The end of the watch itself is no casualty."""
    assert watched() == []


def test_an_engine_that_goes_away_is_a_casualty() -> None:
    """The stream ends with an error or without one. In both cases the harness would not learn of further ends."""
    assert watched(OSError("gone")) == ["the Docker engine is lost: OSError: gone"]
    assert watched(None) == ["the Docker engine is lost: it ended its stream of events"]
