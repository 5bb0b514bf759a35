"""The results of `harness doctor` on this machine, and how to raise limits."""

import os
import platform
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from harness.environments.embedded.ability import broken_wheels, missing_wheels
from harness.environments.embedded.database_user import described_user, folder_problems, user_problems
from harness.environments.external import problems as external_problems
from harness.model.component import COMPONENT_KINDS
from harness.model.environment import ENVIRONMENTS
from harness.model.machine_limits import MachineLimits
from harness.model.registry import load
from harness.model.secret import TOKEN_VARIABLE
from harness.observation.limits import read_limits, too_few_descriptors
from harness.preflight import unwritable


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One result: what was found, whether it is enough for Scenario A's own clients, what to do."""

    what: str
    found: str
    good: bool
    advice: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diagnosis:
    limits: MachineLimits
    advice: tuple[Advice, ...]
    able: bool
    """the embedded environment can run here at some size"""


def _docker_advice() -> Advice:
    """Only --environment docker needs the engine: without one all other environments work."""
    from harness.environments.docker.image import diagnose

    found, advice = diagnose()
    return Advice(what="docker", found=found, good=not advice, advice=advice)


def _optional_programs() -> list[Advice]:
    """Programs that only some backplanes need: without them the other backplanes work."""
    environment = ENVIRONMENTS.default.name
    found = []
    for kind in COMPONENT_KINDS:
        if kind.optional and environment in kind.problems:
            missing: list[str] = load(kind.problems[environment])()
            found.append(
                Advice(
                    what=kind.name,
                    found="missing" if missing else "can be started",
                    good=not missing,
                    advice=" ".join(missing),
                )
            )
    return found


def _external_advice() -> Advice:
    """The variables that name an external cluster and its secrets: only --environment external needs them."""
    names = (TOKEN_VARIABLE, *(kind.variable for kind in COMPONENT_KINDS))
    given = [name for name in names if os.environ.get(name)]
    found = [problem for problem in external_problems() if TOKEN_VARIABLE in given or TOKEN_VARIABLE not in problem]
    return Advice(
        what="external cluster",
        found=f"set: {', '.join(given)}" if given else "no variable of it is set",
        good=not found,
        advice=" ".join(found),
    )


def _temporary() -> str:
    try:
        return tempfile.gettempdir()
    except FileNotFoundError:
        return "none"


def examine(out: Path) -> Diagnosis:
    """Compare this machine with the needs of Scenario A: 10,000 clients on 4 servers."""
    limits = read_limits(out)
    missing = missing_wheels() or broken_wheels()
    user, temporary = user_problems(), folder_problems()
    scarce = too_few_descriptors()
    against = unwritable(out)
    advice = (
        Advice(
            what="python",
            found=f"{sys.version.split()[0]} on {platform.system()} {platform.machine()}",
            good=True,
            advice="",
        ),
        Advice(
            what="server programs",
            found="missing" if missing else "database and broker from Python wheels",
            good=not missing,
            advice=" ".join(missing),
        ),
        Advice(what="user", found=described_user(), good=not user, advice=" ".join(user)),
        Advice(what="temporary folder", found=_temporary(), good=not temporary, advice=" ".join(temporary)),
        Advice(
            what="results folder",
            found=str(out),
            good=not against,
            advice=" ".join(against),
        ),
        Advice(
            what="cores",
            found=str(limits.cores),
            good=limits.cores >= 2,
            advice="one core is enough for small runs only; servers, database and load generator share it",
        ),
        Advice(
            what="memory",
            found=f"{limits.memory_available_bytes / 1e9:.1f} GB available",
            good=limits.memory_available_bytes >= 3e9,
            advice="10,000 clients on 4 servers take about 2 GB; --size fit lowers the clients",
        ),
        Advice(
            what="descriptors",
            found=f"{limits.nofile_hard:,} in one process (hard limit)",
            good=limits.nofile_hard >= 16_000 and not scarce,
            advice=" ".join(scarce)
            or "raise the hard limit (ulimit -Hn, LimitNOFILE=) to 16,000 or more for 10,000 clients on one server",
        ),
        Advice(
            what="ports",
            found=f"{limits.ephemeral_ports:,} for connections to one server",
            good=limits.ephemeral_ports >= 12_000,
            advice="widen net.ipv4.ip_local_port_range, e.g. to 1024 65535",
        ),
        Advice(
            what="listen backlog",
            found=f"{limits.somaxconn:,}",
            good=limits.somaxconn >= 1_024,
            advice="raise net.core.somaxconn to 4096: with a short queue clients must retry, and connecting is slow",
        ),
        Advice(
            what="disk",
            found=f"{limits.disk_free_bytes / 1e9:.1f} GB free for results",
            good=limits.disk_free_bytes >= 2e9,
            advice="a run of 60 s at 20,000 deliveries/s records about 0.1 GB; PostgreSQL needs 1 GB beside it",
        ),
        _external_advice(),
        *_optional_programs(),
        _docker_advice(),
    )
    return Diagnosis(limits=limits, advice=advice, able=not (missing or user or temporary or against or scarce))
