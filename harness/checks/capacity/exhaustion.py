"""Which resource gave out in a run, from its measurements alone."""

from collections.abc import Iterator

from harness.model.capacity import CoresUsed, Exhaustion, Resource
from harness.model.component import Role
from harness.model.finding import Status, Verdict
from harness.model.measurements.percentiles import Percentiles
from harness.model.measurements.run_measurements import RunMeasurements

PROCESS_FULL_CORES = 0.8
"""Of one core. What runs on one thread delays its work from here on: the share at which a queue is four times as long as
at half load (M/M/1: rho / (1 - rho))."""
MACHINE_FULL_SHARE = 0.9
"""Of all cores of the machine."""
LONG_STEP_SHARE = 0.5
"""A step that takes this share of the whole latency at P99 is what is waited for."""
_STEPS = (
    (Resource.DATABASE, "commit", ("ingest", "commit")),
    (Resource.BROKER, "fan-out", ("publish", "fan_out")),
    (Resource.SERVER_CPU, "push", ("push",)),
)
"""The resource that a message waits for in these steps; ``ingest`` waits for a server that is busy with commits too."""


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
    """What gave out in a run on a machine with ``cores`` cores: the first of these that its measurements show.

    A disk that stalled; a process that filled the one core that it can use; the machine's cores, charged to the role that
    used the most of them; the step that took half of the latency. None for a run without measurements.
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
    because = f"all {cores} cores of the machine were busy ({used.machine:.2f}): {told or 'by what is not known'}"
    largest = max(known, key=lambda resource: known[resource][1], default=Resource.NOT_FOUND)
    return Exhaustion(resource=largest, because=because)


def _long_step(measured: RunMeasurements) -> Exhaustion | None:
    steps = measured.steps
    total = _p99_ms(steps.total if steps else None)
    if steps is None or not total:
        return None
    for resource, name, parts in _STEPS:
        taken = sum(_p99_ms(getattr(steps, part)) for part in parts)
        if taken >= LONG_STEP_SHARE * total:
            return Exhaustion(resource=resource, because=f"{name} took {taken:.0f} ms of {total:.0f} ms at P99")
    return None


def _p99_ms(found: Percentiles | None) -> float:
    return (found.p99_ms or 0.0) if found else 0.0
