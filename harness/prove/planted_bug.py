"""A planted bug: where it is planted, how, and the expected verdict."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.model.proof import Place
from harness.prove.demand import Demand, Observation
from harness.prove.stage import Stage


class Trial(Protocol):
    """One way to plant a bug and to let the harness judge it."""

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        """Run the harness with the bug; its files go below ``folder``, which exists. Raises EnvironmentFailure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class PlantedBug:
    """A member of the registry; a control plants nothing. ``planted`` says in a few words what is wrong. ``quick``: it
    belongs to ``--quick``. ``alone``: its figures are times. It then must run alone on the machine, and is tried again
    if a validity check says that the machine was busy.
    """

    name: str
    place: Place
    planted: str
    trial: Trial
    demands: tuple[Demand, ...]
    quick: bool = False
    alone: bool = False
