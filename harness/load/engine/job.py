"""What the fleet and its jobs say to each other, one JSON object a line.

The first line that a process reads is its job. It holds the cluster's token, so it is neither given on the command
line, where every user of the machine can see it, nor left in a file.
"""

from enum import StrEnum

import msgspec

from harness.model.cluster import ServerAddress
from harness.model.plan import Plan


class Job(msgspec.Struct, frozen=True, kw_only=True):
    """One process of the load generator: what runs, and with which load."""

    name: str
    module: str
    """the Python module that runs it"""
    plan: Plan
    servers: tuple[ServerAddress, ...]
    token: str
    index: int = 0
    """which load worker this is, from 0"""


class Report(msgspec.Struct, kw_only=True, omit_defaults=True):
    """The report of a process to the fleet; counts are totals so far."""

    phase: str = ""
    """the last command that it has carried out"""
    connected: int = 0
    subscribed: int = 0
    probed: int = 0
    sent: int = 0
    acknowledged: int = 0
    rejected: int = 0
    indeterminate: int = 0
    delivered: int = 0
    reached: int = 0
    """(client, message) pairs with a delivery, each once (load worker)"""
    reports: int = 0
    """how many reports this process has sent: one that does not report is stalled"""
    disregarded: int = 0
    """this process knows so many of the messages that must not be counted in ``reached`` (load worker)"""
    refused: tuple[int, ...] = ()
    """the rejected messages, once the publisher was asked for them"""
    expected: int = 0
    """deliveries due so far: acknowledged messages times their audience (publisher)"""
    doubtful: int = 0
    """deliveries that may or may not come: messages of unknown outcome times their audience (publisher)"""
    pending: int = 0
    """deliveries that have arrived and are not counted in ``reached`` yet (load worker)"""
    broken: int = 0
    """deliveries that are always wrong: a message that was never posted, a changed text, a message of another channel
    (load worker)"""
    lag_ms: float = 0.0
    """the largest lag of the event loop since the last report"""
    late_ms: float = 0.0
    latencies_ms: tuple[float, ...] = ()
    """a sample of the last second's latencies, at most 500"""
    trouble: str = ""
    """the newest problem, as a sentence"""
    failed: bool = False
    """this process cannot continue; ``trouble`` says why"""

    def fail(self, error: BaseException) -> None:
        self.failed = True
        self.trouble = f"{type(error).__name__}: {error}"


class Action(StrEnum):
    """What a command asks for."""

    CONNECT = "connect"
    PROBE = "probe"
    START = "start"
    PAUSE_READING = "pause_reading"
    RESUME_READING = "resume_reading"
    PING = "ping"
    NAME_REJECTED = "name_rejected"
    DISREGARD = "disregard"
    FINISH = "finish"


class Command(msgspec.Struct, kw_only=True, omit_defaults=True):
    """``start_ns`` belongs to START, ``clients`` to PAUSE_READING and RESUME_READING,
    ``messages`` to DISREGARD."""

    do: Action
    start_ns: int = 0
    clients: tuple[int, ...] = ()
    messages: tuple[int, ...] = ()
