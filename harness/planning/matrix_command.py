"""The command line that repeats a matrix."""

from collections.abc import Sequence

from harness.model.environment import ENVIRONMENTS
from harness.planning.matrix_planner import MatrixRequest
from harness.planning.repeat_command import exactly


def matrix_command(asked: MatrixRequest, scenarios: Sequence[str]) -> tuple[str, ...]:
    """The arguments of the same matrix. Numbers that no option gave are chosen again, for the machine of the
    repetition."""
    base = asked.base
    arguments = ["matrix", "--backplanes", ",".join(asked.backplanes), "--write-paths", ",".join(asked.write_paths)]
    arguments += ["--scenarios", ",".join(scenarios), "--repeat", str(asked.repeat), "--size", base.size]
    if base.server_counts:
        arguments += ["--servers", ",".join(map(str, base.server_counts))]
    if base.clients is not None:
        arguments += ["--clients", str(base.clients)]
    for option, value in (("--rate", base.rate_hz), ("--duration", base.duration_s)):
        if value is not None:
            arguments += [option, exactly(value)]
    if base.audience is not None:
        arguments += ["--audience", str(base.audience)]
    if base.environment != ENVIRONMENTS.default.name:
        arguments += ["--environment", base.environment]
    if base.recovery != "automatic":
        arguments += ["--recovery", base.recovery]
    arguments += ["--seed", str(base.seed)]
    return (*arguments, "--force") if base.force else tuple(arguments)
