"""Did deliveries arrive at the rate at which messages were posted? The deliveries that were received within the
measured window are counted. The posting rate does not show this: an overloaded cluster may accept every post and
deliver much later.
"""

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.evidence import Evidence
from harness.checks.evidence.tally import Tally
from harness.model.finding import Kind, Status
from harness.model.measurements.run_measurements import Rates

SHARE_AT_LEAST = 0.95
"""A constant latency does not change the share: as many deliveries of the time before the window arrive in it as leave
it at its end."""
_NORMAL_97_5 = 1.96


def rates(evidence: Evidence, tally: Tally) -> Rates:
    """Posts and received deliveries per second of the measured window, beside the plan."""
    posts, plan = evidence.recording.posts, evidence.plan
    messages_hz = deliveries_hz = None
    if len(posts) == len(evidence.schedule):
        sent_ns = np.sort(posts["sent_ns"][evidence.measured & (posts["sent_ns"] > 0)])
        if len(sent_ns) >= 2:
            # n posts span n − 1 intervals.
            messages_hz = round((len(sent_ns) - 1) / (int(sent_ns[-1] - sent_ns[0]) / 1e9), 2)
    begin_ns, end_ns = evidence.window_ns
    if end_ns > begin_ns and evidence.recording.seen:
        deliveries_hz = round(tally.receipts.in_window / ((end_ns - begin_ns) / 1e9), 1)
    return Rates(
        planned_messages_hz=plan.rate_hz,
        planned_deliveries_hz=plan.deliveries_per_s,
        messages_hz=messages_hz,
        deliveries_hz=deliveries_hz,
    )


def _kept_up(case: Case) -> Answer:
    """Deliveries received within the window, as a share of those due in it.

    The number of deliveries on their way at the beginning and at the end is random (Poisson of that many messages):
    from this follows the interval of the share.
    """
    receipts, account, measured = case.tally.receipts, case.account, case.evidence.measured
    due = int(account.expected[measured].sum())
    messages = int(np.count_nonzero(account.expected[measured]))
    expected = {"share_at_least": SHARE_AT_LEAST}
    if not due or not case.evidence.complete:
        summary = "no delivery was due in the measured window" if not due else "the run ended early"
        return Answer(status=Status.UNKNOWN, summary=f"not decided: {summary}", expected=expected)
    share = receipts.in_window / due
    under_way = (receipts.in_window - receipts.due_in_window) + max(0, due - receipts.due_in_window)
    half = _NORMAL_97_5 * float(np.sqrt(under_way / due * messages)) / messages
    low, high = max(0.0, share - half), share + half
    status = Status.PASS if low >= SHARE_AT_LEAST else Status.FAIL if high < SHARE_AT_LEAST else Status.UNKNOWN
    rate_hz = case.measured.rates.deliveries_hz
    return Answer(
        status=status,
        summary=f"{rate_hz or 0:,.1f} deliveries/s were received in the measured window, {share:.1%} of those due in "
        "it",
        measured={"share": round(share, 4), "deliveries_hz": rate_hz},
        expected=expected,
        samples=messages,
        confidence=f"{low:.1%} to {high:.1%} at 95 %, messages on their way at both ends counted as Poisson",
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="delivery-rate",
        kind=Kind.PERFORMANCE,
        function=_kept_up,
        # A fault delays deliveries on purpose; `backfilled` and the recovered latency judge when they arrive.
        applies=lambda case: not case.evidence.plan.faults,
        needs=(Need.LEDGER, Need.DELIVERIES, Need.EVENTS),
        red_when=(
            "fewer deliveries were received within the measured window than 95 % of those that were due in it: the "
            "cluster, or the load generator, is saturated, and deliveries come later. The 95 % interval of the share"
            " decides. Does not apply to a run with faults"
        ),
        what_to_do="the CPU of each process; a lower `--rate` or `--audience`",
        planted_bug="tests/harness/checks/run/test_delivery_rate.py::test_a_saturated_cluster_is_seen_in_the_rate_of_receipt",
    ),
)
