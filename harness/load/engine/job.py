"""What the fleet and its processes tell each other, one JSON object a line.

The first line that a process reads is its job. It holds the cluster's token, so it is neither given on the command line,
where everybody could see it, nor left in a file.
"""

import msgspec

from harness.model.cluster import ServerAddress
from harness.model.plan import Plan


class Job(msgspec.Struct, frozen=True, kw_only=True):
    plan: Plan
    servers: tuple[ServerAddress, ...]
    token: str
    arrays: str
    """the folder for row files"""
    index: int = 0
    """which worker this is"""


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What a process tells the fleet, one JSON line each time; counts are totals so far."""

    phase: str = ""
    """the last command that it has finished"""
    connected: int = 0
    subscribed: int = 0
    probed: int = 0
    sent: int = 0
    acknowledged: int = 0
    rejected: int = 0
    indeterminate: int = 0
    delivered: int = 0
    expected: int = 0
    """deliveries due so far: acknowledged messages times their audience (publisher)"""
    late_ms: float = 0.0
    latencies_ms: tuple[float, ...] = ()
    """a sample of the last second's latencies, at most 500"""
    trouble: str = ""
    """what went wrong last, as a sentence"""
    failed: bool = False
    """this process cannot go on; ``trouble`` says why"""


class Command(msgspec.Struct, kw_only=True, omit_defaults=True):
    """What the fleet tells a process: ``connect``, ``probe``, ``start``, ``set_reading``, ``finish``."""

    do: str
    start_ns: int = 0
    clients: tuple[int, ...] = ()
    deaf: bool = False
    """whether ``clients`` stop reading (True) or read again (False)"""
