"""All planted bugs and controls, in the order in which they are tried and read.

To add one, write the bug (a class in `harness/prove/way/` or in `planted_server/`, a disturbance, a damage) and a
`PlantedBug` in a module of `harness/prove/bugs/`.
"""

from harness.model.registry import Registry
from harness.prove.bugs import controls, deliveries, disturbed_measurement, framing, storage, times
from harness.prove.planted_bug import PlantedBug

PLANTED_BUGS: Registry[PlantedBug] = Registry(
    "planted bug",
    (*deliveries.BUGS, *framing.BUGS, *storage.BUGS, *times.BUGS, *disturbed_measurement.BUGS, *controls.BUGS),
)
