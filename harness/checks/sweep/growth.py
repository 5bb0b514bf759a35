"""Does a cost grow linearly with the servers, or faster?

What is looked at is the cost of one message. Every server reads every message of its channels, so a message costs
a + b·N by design: linear, and the same law whether the rate stays (constant curve) or grows with the servers (weak curve).
The cost per second would not do: on the weak curve it grows with N² by nature, N times as many messages read N times.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from harness.checks.statistics.regression import Estimate, Line, exponent, line, quadratic_share
from harness.model.finding import Finding, Kind, Status

COUNTS_AT_LEAST = 3
"""Two points lie on every curve."""
EXPONENT_LIMIT = 1.25
"""Linear growth has an exponent of 1, or less where a constant part stands beside it; quadratic growth tends to 2."""
QUADRATIC_SHARE_LIMIT = 0.25

FIGURES = {
    "cpu-growth": ("system CPU per message", "cpu_us_per_message", "µs"),
    "broker-cpu-growth": ("Redis CPU per message", "broker.cpu_us_per_message", "µs"),
    "broker-bandwidth-growth": ("Redis bytes out per message", "broker.net_out_bytes_per_message", "bytes"),
}


def value(row: Mapping[str, Any], path: str) -> float | None:
    """The number at the dotted ``path`` of a row."""
    found: Any = row
    for key in path.split("."):
        found = found.get(key) if isinstance(found, Mapping) else None
    return None if found is None else float(found)


def points(rows: Sequence[Mapping[str, Any]], curve: str, path: str) -> tuple[list[float], list[float]]:
    """(servers, values) of the runs of one curve that have the figure, positive."""
    pairs = [
        (float(row["servers"]), found)
        for row in rows
        if row["curve"] == curve and (found := value(row, path)) is not None and found > 0
    ]
    return [servers for servers, _ in pairs], [found for _, found in pairs]


def fit(rows: Sequence[Mapping[str, Any]], curve: str, path: str) -> dict[str, Any] | None:
    """`measurements.sweep.fits[…]`: straight line, exponent and quadratic share of one figure on one curve; None for fewer
    than COUNTS_AT_LEAST counts."""
    x, y = points(rows, curve, path)
    if len(set(x)) < COUNTS_AT_LEAST:
        return None
    straight, power, share = line(x, y), exponent(x, y), quadratic_share(x, y)
    assert straight is not None
    assert power is not None
    return {
        "curve": curve,
        "figure": path,
        "runs": len(x),
        "line": {
            "intercept": round(straight.intercept, 4),
            "slope": _plain(straight.slope),
            "r2": _digits(straight.r2),
        },
        "exponent": _plain(power.slope),
        "quadratic_share": None if share is None else _plain(share),
        "status": str(_judged(power, share)),
    }


def finding(check: str, fits: Sequence[Mapping[str, Any]]) -> Finding:
    """PASS where the exponent is shown to be at most EXPONENT_LIMIT on every curve and no quadratic term is shown; FAIL
    where growth beyond that is shown on one; else UNKNOWN."""
    what, path, _ = FIGURES[check]
    mine = [fit for fit in fits if fit["figure"] == path]
    expected = {"exponent_at_most": EXPONENT_LIMIT, "quadratic_share_at_most": QUADRATIC_SHARE_LIMIT}
    statuses = [Status(fit["status"]) for fit in mine]
    if not mine:
        status = Status.UNKNOWN
        summary = (
            f"{what}: measured at fewer than {COUNTS_AT_LEAST} server counts, which cannot tell a line from a curve"
        )
    else:
        status = max(statuses, key=[Status.PASS, Status.UNKNOWN, Status.FAIL].index)
        words = {
            Status.PASS: "grows linearly with the servers at most",
            Status.FAIL: "grows faster than linearly with the servers",
            Status.UNKNOWN: "may grow faster than linearly: the runs do not decide",
        }
        summary = f"{what} {words[status]}: " + "; ".join(_told(fit) for fit in mine)
    return Finding(
        check=check,
        kind=Kind.PERFORMANCE,
        status=status,
        summary=summary,
        measured={fit["curve"]: _measured(fit) for fit in mine} or None,
        expected=expected,
        samples=sum(fit["runs"] for fit in mine),
        confidence="95 %, Student's t over runs" if mine else "",
    )


def _judged(power: Line, share: Estimate | None) -> Status:
    if power.slope.lower_bound > EXPONENT_LIMIT or (share is not None and share.lower_bound > QUADRATIC_SHARE_LIMIT):
        return Status.FAIL
    return Status.PASS if power.slope.upper_bound <= EXPONENT_LIMIT else Status.UNKNOWN


def _told(fit: Mapping[str, Any]) -> str:
    power, share = fit["exponent"], fit["quadratic_share"]
    bound = f" (at most {power['upper_bound']:.2f})" if power["upper_bound"] is not None else ""
    quadratic = ""
    if share is not None:
        shown = share["lower_bound"] is not None and share["lower_bound"] > 0
        quadratic = (
            f", N² makes up {share['value']:.0%} of it at the most servers" if shown else ", no term in N² is shown"
        )
    return f"{fit['curve']} curve with N^{power['value']:.2f}{bound}{quadratic}"


def _measured(fit: Mapping[str, Any]) -> dict[str, Any]:
    share = fit["quadratic_share"]
    return {
        "exponent": fit["exponent"]["value"],
        "exponent_upper_bound": fit["exponent"]["upper_bound"],
        "quadratic_share": None if share is None else share["value"],
        "r2": fit["line"]["r2"],
    }


def _plain(estimate: Estimate) -> dict[str, float | None]:
    """As JSON, which knows no infinity."""
    return {name: _digits(getattr(estimate, name)) for name in ("value", "low", "high", "lower_bound", "upper_bound")}


def _digits(number: float) -> float | None:
    return round(number, 6) if math.isfinite(number) else None
