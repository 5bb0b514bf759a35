"""Which resource was exhausted in a run, from its measurements alone."""

from collections.abc import Iterator

from harness.model.capacity import CoresUsed, Exhaustion, Resource
from harness.model.component import Role
from harness.model.finding import Status, Verdict
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.run_measurements import RunMeasurements

PROCESS_FULL_CORES = 0.8
"""Of one core, which is all that one thread can use. From here on work waits: a queue with random arrivals
holds rho / (1 - rho) pieces of work on average (M/M/1), 4 at a share of 0.8 and 1 at a share of 0.5."""
MACHINE_FULL_SHARE = 0.9
"""Of all cores of the machine."""
LONG_STEP_SHARE = 0.5
"""A step is the exhausted resource if its own P99 is at least this share of the P99 of the whole way."""
_STEPS = (
    (Resource.SERVER_CPU, "ingest"),
    (Resource.DATABASE, "commit"),
    (Resource.BROKER, "publish"),
    (Resource.BROKER, "fan_out"),
    (Resource.SERVER_CPU, "push"),
)
"""The resource that a message waits for in each step. In ``ingest`` a post waits for a server to accept it."""


def cores_used(measured: RunMeasurements) -> CoresUsed:
    """What each role kept busy."""

    def together(found: Iterator[float | None]) -> float | None:
        known = [cores for cores in found if cores is not None]
        return round(sum(known), 4) if known else None

    generator = [worker.cpu_cores for worker in measured.workers] + [measured.publisher.cpu_cores]
    return CoresUsed(
        servers=together(server.cpu_cores for server in measured.servers),
        database=measured.database.cpu_cores if measured.database else None,
        broker=measured.broker.cpu_cores if measured.broker else None,
        generator=together(iter(generator)),
        machine=measured.machine.busy_cores,
    )


def exhaustion(verdict: Verdict, cores: int) -> Exhaustion | None:
    """The exhausted resource of a run on a machine with ``cores`` cores: the first of these that its measurements show.

    A disk that stalled; a process that filled the one core that it can use; the machine's cores, charged to the role that
    used the most of them; the longest step, where it took half of the latency. None for a run without measurements.
    """
    measured = verdict.run
    if measured is None:
        return None
    for found in (_disk(verdict), _full_process(measured), _full_machine(measured, cores), _long_step(measured)):
        if found is not None:
            return found
    return Exhaustion(resource=Resource.NOT_FOUND, because="no resource that was measured was full")


def _disk(verdict: Verdict) -> Exhaustion | None:
    stalled = next((one for one in verdict.findings if one.check == "disk" and one.status is not Status.PASS), None)
    return Exhaustion(resource=Resource.DISK, because=stalled.summary) if stalled else None


def _full_process(measured: RunMeasurements) -> Exhaustion | None:
    """The fullest process. The database is not among them: it uses a process for each connection."""
    every = [
        *((Resource.GENERATOR, worker.name, worker.cpu_cores) for worker in measured.workers),
        (Resource.GENERATOR, "publisher", measured.publisher.cpu_cores),
        *((Resource.SERVER_CPU, server.name, server.cpu_cores) for server in measured.servers),
        (Resource.BROKER, str(Role.BROKER), measured.broker.cpu_cores if measured.broker else None),
    ]
    full = [(cores, name, resource) for resource, name, cores in every if cores and cores >= PROCESS_FULL_CORES]
    if not full:
        return None
    cores, name, resource = max(full, key=lambda one: one[0])
    return Exhaustion(resource=resource, because=f"{name} used {cores:.2f} of the one core that it can use")


def _full_machine(measured: RunMeasurements, cores: int) -> Exhaustion | None:
    used = cores_used(measured)
    if used.machine is None or used.machine < MACHINE_FULL_SHARE * cores:
        return None
    shares = {
        Resource.SERVER_CPU: ("servers", used.servers),
        Resource.DATABASE: ("database", used.database),
        Resource.BROKER: ("broker", used.broker),
        Resource.GENERATOR: ("load generator", used.generator),
    }
    known = {resource: (name, share) for resource, (name, share) in shares.items() if share is not None}
    told = ", ".join(f"{name} {share:.2f}" for name, share in known.values())
    because = f"all {cores} cores of the machine were busy ({used.machine:.2f}): {told or 'the program is not known'}"
    largest = max(known, key=lambda resource: known[resource][1], default=Resource.NOT_FOUND)
    return Exhaustion(resource=largest, because=because)


def _long_step(measured: RunMeasurements) -> Exhaustion | None:
    steps = measured.steps
    total = _p99_ms(steps.total if steps else None)
    if steps is None or not total:
        return None
    # Each step by its own figure: percentiles cannot be added up.
    taken, name, resource = max((_p99_ms(getattr(steps, name)), name, resource) for resource, name in _STEPS)
    if taken < LONG_STEP_SHARE * total:
        return None
    because = f"the P99 of the step {name.replace('_', '-')} is {taken:.0f} ms, that of the whole way {total:.0f} ms"
    return Exhaustion(resource=resource, because=because)


def _p99_ms(found: Percentiles | None) -> float:
    return (found.p99_ms or 0.0) if found else 0.0
