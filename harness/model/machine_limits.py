"""What a machine offers to a run."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class MachineLimits:
    """The present limits, read before the start."""

    cores: int
    memory_available_bytes: int
    nofile_hard: int
    """open files that one process may hold at most"""
    ephemeral_ports: int
    """ports for outgoing connections to one address and port"""
    somaxconn: int
    disk_free_bytes: int
