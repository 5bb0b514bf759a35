"""Trials that plant nothing: a correct server, and a target whose latency is known."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from harness.planning.arrivals import MEASURED
from harness.prove.demand import Observation
from harness.prove.stage import SERVERS, Stage
from harness.prove.trials import SCENARIO, SmallLoad, listed, observation
from harness.recording.reader import Recording

TARGET = "harness.prove.constant_delay_target"
TOKEN = "constant-delay"  # noqa: S105 - of a target on loopback that lives for a few seconds
P50, P99 = "p50_ms", "p99_ms"


@dataclass(frozen=True, slots=True, kw_only=True)
class Faithful:
    """Scenario A at smoke size on the reference server, with its report, as in ``make demo``."""

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        return observation(await stage.run(SCENARIO, "--size", "smoke", out=folder), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class OnTarget:
    """A run against the target that delivers ``delay_ms`` after each post."""

    delay_ms: float
    load: SmallLoad

    async def observe(self, stage: Stage, folder: Path) -> Observation:
        ports = stage.ports(SERVERS)
        arguments = ("--ports", listed(ports), "--delay-ms", f"{self.delay_ms:g}")
        token = stage.with_token(TOKEN)
        async with stage.listening(f"target-{folder.name}", TARGET, *arguments, ports=ports, environment=token):
            ended = await stage.run(
                SCENARIO,
                *(*stage.external(ports), *self.load.arguments, "--no-report"),
                out=folder,
                environment=token,
            )
        stamps = own_stamps_ms(ended.folder) if ended.verdict else {}
        return observation(ended, None, **stamps)


def own_stamps_ms(recording: Path) -> dict[str, float]:
    """Percentiles of the latency by the target's own stamps, over the deliveries of the measured window: from the
    intended time of a message, where latency begins by definition, to the moment when the target wrote its deliveries.
    Empty if it has no stamps."""
    run = Recording.open(recording)
    if 0 not in run.delivered:
        return {}
    posts = run.posts[run.posts["phase"] == MEASURED]
    intended = {(int(row["channel"]), int(row["seq"])): int(row["intended_ns"]) for row in posts}
    took_ns = [
        (int(row["written_ns"]) - at_ns, int(row["sockets"]))
        for row in run.delivered[0]
        if (at_ns := intended.get((int(row["channel"]), int(row["seq"])))) is not None
    ]
    if not took_ns:
        return {}
    every = np.sort(np.repeat([took for took, _ in took_ns], [sockets for _, sockets in took_ns]))
    # The nearest rank, as in the verdict.
    return {name: float(every[int(np.ceil(share * len(every))) - 1]) / 1e6 for name, share in ((P50, 0.5), (P99, 0.99))}
