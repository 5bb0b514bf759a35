"""A made-up engine, `courier`. Its processes write to a folder elsewhere, as they would on another machine.

It starts processes with a LocalEngine and records the commands that it sends. When the fleet fetches the results, it
copies rows and logs to the recording.
"""

import json
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from harness.load.engine.engine import Ending
from harness.load.engine.job import Command, Job, Report
from harness.load.engine.local import LocalEngine
from harness.model.component import Component
from harness.model.engine import EngineEntry

ENTRY = EngineEntry(
    name="courier", title="copies rows from another folder, for tests", opener="tests.seams.courier:Courier"
)


class Courier:
    """See `harness.load.engine.engine.Engine`. It writes courier.json to the recording, which the test reads."""

    def __init__(self, folder: Path) -> None:
        self._commands: list[str] = []
        self._work = Path(tempfile.mkdtemp(prefix="harness-courier-"))
        self._folder = folder
        self._engine = LocalEngine(self._work)

    async def start(self, jobs: Sequence[Job]) -> None:
        await self._engine.start(jobs)

    def send(self, name: str, command: Command) -> None:
        self._commands.append(f"{command.do} {name}")
        self._engine.send(name, command)

    def report(self, name: str) -> Report:
        return self._engine.report(name)

    def ending(self, name: str) -> Ending | None:
        return self._engine.ending(name)

    async def changed(self, limit_s: float) -> None:
        await self._engine.changed(limit_s)

    async def end(self) -> None:
        await self._engine.end()

    async def fetch(self) -> None:
        await self._engine.fetch()
        fetched = sorted(self._work.glob("*/*"))
        for path in fetched:
            shutil.copy(path, self._folder / path.parent.name / path.name)
        shutil.rmtree(self._work)
        notes = {"commands": self._commands, "fetched": [path.name for path in fetched], "work": str(self._work)}
        (self._folder / "courier.json").write_text(json.dumps(notes))

    def components(self) -> Sequence[Component]:
        return ()  # the harness knows no process of this kernel
