"""Do the servers' traces agree with the clocks in the recording?"""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.model.finding import Bias, Kind, Status

PLANTED = "tests/harness/checks/run/test_server_clocks.py::"


def _server_clocks(case: Case) -> Answer:
    evidence, steps = case.evidence, case.measured.steps
    impossible = evidence.impossible_times
    problems = [
        f"by its trace server-{server + 1} accepted {impossible[server]:,} posts before they were sent or after they "
        "were answered"
        for server in np.flatnonzero(impossible)
    ]
    negative = steps.negative if steps else ()
    problems += [f"the step {step} ended before it began" for step in negative]
    accepted = int((evidence.trace.accepted > 0).sum()) if evidence.trace else 0
    nothing = "not known: the servers' traces have no post of this run"
    agree = "no time of a server's trace contradicts the ledger or another step" if accepted else nothing
    return Answer(
        status=Status.UNKNOWN if problems or not accepted else Status.PASS,
        summary="; ".join(problems[:4]) or agree,
        measured={"impossible_times": int(impossible.sum()), "negative_steps": len(negative)},
        expected=0,
        samples=accepted,
        examples=tuple(problems[:20]),
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="server-clocks",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_server_clocks,
        applies=lambda case: case.evidence.trace is not None,
        needs=(Need.TRACES, Need.LEDGER),
        red_when=(
            "by a server's trace a post was accepted before it was sent or after it was answered, or a step is "
            "impossible: at least 1 % of its samples ended before they could begin, or its median is negative, each "
            "time by more than the clocks' error. The harness then treats that server's clock as unknown, and leaves"
            " the step out. Also UNKNOWN if the traces have no post. Does not apply without traces"
        ),
        what_to_do=(
            "the clock of that server's host: is it another host than `clocks.json` says, or was it suspended?"
        ),
        planted_bug=f"{PLANTED}test_a_clock_that_steps_in_mid_run_accuses_no_server",
    ),
)
