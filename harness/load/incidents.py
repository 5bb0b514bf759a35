"""Counts the incidents of one process and keeps them in a file: every one is counted, a few are kept as examples."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from harness.model.incident import Incident, IncidentKind, IncidentList
from harness.recording.format import VERSION

REASONS = 50
"""Different reasons that are kept of each kind; all further ones count as OTHER."""
OTHER = "another reason"
EXAMPLES = 5
CHARACTERS = 200
"""The longest reason, and the longest example."""


@dataclass(slots=True)
class _Count:
    first_ns: int
    last_ns: int = 0
    count: int = 0
    examples: list[str] = field(default_factory=list)


class Incidents:
    """``path`` is there, and valid, from the beginning. `flush` brings it up to date; raises OSError as the system
    does."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[IncidentKind, dict[str, _Count]] = {}
        self._changed = True
        self.flush()

    def note(self, kind: IncidentKind, reason: str, example: str = "") -> None:
        """One incident. ``reason`` is the same for all that have the same cause; ``example`` says where it happened."""
        now_ns = time.monotonic_ns()
        reasons = self._found.setdefault(kind, {})
        reason = reason[:CHARACTERS]
        if reason not in reasons and len(reasons) >= REASONS:
            reason = OTHER
        found = reasons.get(reason)
        if found is None:
            found = reasons[reason] = _Count(now_ns)
        found.count += 1
        found.last_ns = now_ns
        if example and len(found.examples) < EXAMPLES:
            found.examples.append(example[:CHARACTERS])
        self._changed = True

    def flush(self) -> None:
        if not self._changed:
            return
        incidents = tuple(
            Incident(
                kind=kind,
                reason=reason,
                count=found.count,
                first_ns=found.first_ns,
                last_ns=found.last_ns,
                examples=tuple(found.examples),
            )
            for kind, reasons in self._found.items()
            for reason, found in reasons.items()
        )
        # In one step: a process may be killed at any moment.
        temporary = self._path.with_suffix(".part")
        temporary.write_bytes(msgspec.json.encode(IncidentList(version=VERSION, incidents=incidents)))
        temporary.replace(self._path)
        self._changed = False
