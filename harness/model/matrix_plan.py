"""A matrix: the same scenarios on every alternative of the architecture, planned together and judged together."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from harness.model.backplane import WRITE_PATHS
from harness.model.plan import Plan

SYNCHRONOUS_COMMIT = "synchronous_commit"
"""The one setting of a write path."""
MATRIX = "matrix"
"""The name in place of a scenario's name: for the folder below the results, and in the plan."""


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """One alternative: a backplane with settings (``KEY=VALUE``), and a write path."""

    backplane: str
    write_path: str
    settings: tuple[str, ...] = ()
    synchronous_commit: str = "on"

    @property
    def path_name(self) -> str:
        """The write path with its variation."""
        varied = "" if self.synchronous_commit == "on" else f" {SYNCHRONOUS_COMMIT}={self.synchronous_commit}"
        return f"{self.write_path}{varied}"

    @property
    def name(self) -> str:
        """The name for people: it contains the write path if that is not the decided one, and settings that are not the
        default."""
        parts = [self.backplane, *self.settings]
        parts += [] if self.write_path == WRITE_PATHS.default.name else [self.write_path]
        parts += [] if self.synchronous_commit == "on" else [f"{SYNCHRONOUS_COMMIT}={self.synchronous_commit}"]
        return " ".join(parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """One run of one scenario on one system. ``order`` counts from 1 in the order of running, ``repetition`` from 1.

    ``plan`` is None if the system cannot run the scenario here; ``because`` then says why.
    """

    order: int
    system: System
    scenario: str
    servers: int
    repetition: int
    plan: Plan | None
    because: str = ""
    predicted_s: float = 0.0
    """wall time, from start to report"""

    @property
    def name(self) -> str:
        """The folder of its recording."""
        system = re.sub("[^a-z0-9]+", "-", self.system.name)
        return f"{self.order:03}-{system}-{self.scenario}-{self.servers}x{self.repetition}"


@dataclass(frozen=True, slots=True, kw_only=True)
class MatrixPlan:
    """All cells of a matrix, those that run first, in the order of running. ``reference`` represents the matrix where
    one plan is needed: it has the name of the matrix, and the command that repeats it."""

    systems: tuple[System, ...]
    scenarios: tuple[str, ...]
    cells: tuple[Cell, ...]
    repeat: int
    predicted_s: float
    reference: Plan
    adapter_lines: Mapping[str, int] = field(default_factory=dict)
    """lines of code of each backplane in the reference server, without blank lines and comments"""

    @property
    def running(self) -> tuple[Cell, ...]:
        """The cells that can run here."""
        return tuple(cell for cell in self.cells if cell.plan is not None)
