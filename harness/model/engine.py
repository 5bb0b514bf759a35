"""Engines: they run the processes of the load generator, here or on other machines."""

from dataclasses import dataclass

from harness.model.registry import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class EngineEntry:
    """``opener`` is the import path of a function or class that takes the recording's folder (a `pathlib.Path`) and
    returns a `harness.load.engine.engine.Engine`."""

    name: str
    title: str
    opener: str


ENGINES: Registry[EngineEntry] = Registry(
    "engine",
    (
        EngineEntry(
            name="local",
            title="processes on this machine",
            opener="harness.load.engine.local:LocalEngine",
        ),
    ),
)
