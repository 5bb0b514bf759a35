"""Are there samples of the whole measured window, and could everything be measured? A figure over a part of the window
hides problems in the rest."""

from collections.abc import Iterable

import numpy as np

from harness.checks.check import Answer, Case, Check, Need
from harness.checks.evidence.evidence import Evidence, Ints
from harness.checks.evidence.parts import generator_processes
from harness.model.finding import Bias, Kind, Status

PLANTED = "tests/harness/checks/run/test_gaps.py::"

# Conventions (docs/results.md says why each).
GAP_LIMIT_S = 5.0


def longest_gap_ns(at_ns: Ints, begin_ns: int, end_ns: int) -> int:
    """The longest time between two samples, or from an end of the window to the nearest sample inside it."""
    inside = np.sort(at_ns[(at_ns >= begin_ns) & (at_ns <= end_ns)])
    return int(np.diff(np.r_[begin_ns, inside, end_ns]).max())


def _gaps(case: Case) -> Answer:
    """Samples of the machine and of the load generator's processes, and their own heartbeats, cover the whole
    window."""
    begin_ns, end_ns = case.evidence.window_ns
    sources = _sources(case.evidence)
    gaps_s = {name: longest_gap_ns(at_ns, begin_ns, end_ns) / 1e9 for name, at_ns in sources.items()}
    scarce = [name for name, at_ns in sources.items() if ((at_ns >= begin_ns) & (at_ns <= end_ns)).sum() < 2]
    long = [f"{name} for {gap_s:.1f} s" for name, gap_s in gaps_s.items() if gap_s > GAP_LIMIT_S]
    worst = max(gaps_s, key=lambda name: gaps_s[name])
    summary = f"the longest gap between two samples of the measured window is {gaps_s[worst]:.1f} s ({worst})"
    if long:
        summary = f"not watched in the measured window: {', '.join(long)}"
    elif scarce:
        summary = f"the measured window has no two samples of {', '.join(scarce)}"
    return Answer(
        status=Status.UNKNOWN if long or scarce else Status.PASS,
        summary=summary,
        measured={"longest_gap_s": round(gaps_s[worst], 3)},
        expected={"longest_gap_s": GAP_LIMIT_S},
        samples=sum(map(len, sources.values())),
        examples=tuple(long[:20]),
    )


def _sources(evidence: Evidence) -> dict[str, Ints]:
    """The times of the samples, by their source."""
    recording = evidence.recording
    found = {"the machine": _times(sample["at_ns"] for sample in recording.telemetry if "machine" in sample)}
    for process in generator_processes(evidence):
        found[f"the CPU of {process}"] = _times(
            sample["at_ns"] for sample in recording.telemetry if process in sample.get("processes", {})
        )
        heartbeat = evidence.heartbeats.get(process)
        found[f"the heartbeat of {process}"] = _times([] if heartbeat is None else heartbeat["at_ns"])
    return found


def _times(found: Iterable[int]) -> Ints:
    return np.array(list(found), np.int64)


def _not_measured(case: Case) -> Answer:
    missing = case.measured.not_measured
    names = ", ".join(one.name for one in missing)
    return Answer(
        status=Status.UNKNOWN if missing else Status.PASS,
        summary=f"not measured: {names}" if missing else "everything was measured that the recording should give",
        measured=len(missing),
        expected=0,
        examples=tuple(f"{one.name}: {one.reason}" for one in missing[:20]),
    )


CHECKS: tuple[Check[Case], ...] = (
    Check(
        name="gaps",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_gaps,
        needs=(Need.TELEMETRY, Need.HEARTBEATS, Need.EVENTS),
        red_when="for more than 5 s of the measured window, its ends included, there is no sample of the machine, of "
        "a process of the load generator or of its heartbeat, or there are no two samples",
        what_to_do="was the machine suspended, or overloaded? run it again",
        planted_bug=f"{PLANTED}test_time_without_samples_is_found",
    ),
    Check(
        name="not-measured",
        kind=Kind.VALIDITY,
        bias=Bias.OPTIMISTIC,
        function=_not_measured,
        needs=(),
        red_when="a measurement could not be made: `not_measured` says which, and why",
        what_to_do="a damaged copy of the recording: copy it again. Otherwise a bug in the harness: report it",
        planted_bug=f"{PLANTED}test_a_measurement_that_cannot_be_made_is_told_by_name",
    ),
)
