"""What the fleet needs of an engine. An engine runs the load generator's jobs, here or on other machines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from harness.load.engine.job import Command, Job, Report
from harness.model.component import Component


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How the process of a job ended. ``in_order``: with exit code 0. ``how`` says it in words, for example ``exit code
    1``; ``last_lines`` is the end of its log, empty if the log is empty."""

    in_order: bool
    how: str
    last_lines: str = ""


class Engine(Protocol):
    """Runs one process for each job, in a work folder of its host. Jobs are known by their names.

    The process of a job is ``python -m MODULE FOLDER``: it reads the job and then commands from its standard input and
    writes reports to its standard output (`harness.load.engine.control`). It writes its row files into FOLDER.
    """

    async def start(self, jobs: Sequence[Job]) -> None:
        """Start every job. Raises EnvironmentFailure if one cannot be started; `end` then ends the others."""
        ...

    def send(self, name: str, command: Command) -> None:
        """Send a command to one job. A job that has ended does not get it; `ending` says why."""
        ...

    def report(self, name: str) -> Report:
        """The newest report of a job; an empty one before the first."""
        ...

    def ending(self, name: str) -> Ending | None:
        """None while the job runs."""
        ...

    async def changed(self, limit_s: float) -> None:
        """Return when a report came in or a job ended, after ``limit_s`` at the latest."""
        ...

    async def end(self) -> None:
        """End every process at once. Idempotent."""
        ...

    async def fetch(self) -> None:
        """Bring every row file and log of the jobs into the recording's folder; call it after `end`.

        A file that its process left unclosed is repaired. Raises EnvironmentFailure if one cannot be brought."""
        ...

    def components(self) -> Sequence[Component]:
        """The processes that this kernel runs, for telemetry."""
        ...
