"""How fast this machine is, in the units that sizing counts in. Takes 0.3 s of one core.

Two short measurements represent the two kinds of work in a run: a message through a loopback TCP connection (the
kernel's work) and decoding a small JSON object (the interpreter's). The costs of a whole run were measured once on a
reference machine, together with these two figures. They are scaled by the ratio of this machine to the reference
machine. That predicts a machine of the same kind well and another one roughly; `sizing.BUSY_SHARE` leaves room for the
rest.
"""

import json
import socket
import time
from dataclasses import dataclass

from harness.model.plan import Calibration

SLICES = 5
_PAYLOAD = b"x" * 160
_DOCUMENT = json.dumps({"type": "message", "channel": "general.000001", "seq": 4711, "text": "y" * 96})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Speed:
    """CPU seconds of one unit."""

    loopback_s: float
    json_s: float


_REFERENCE = _Speed(loopback_s=8.2e-6, json_s=1.55e-6)
"""A virtual machine with 2 cores of an AMD EPYC, Linux 6.18, Python 3.11."""

REFERENCE_COST = Calibration(per_write_s=25e-6, per_frame_s=1.8e-6, per_post_s=500e-6, per_hint_s=50e-6)
"""The costs of Scenarios A, B and C there."""


def calibrate(seconds: float = 0.3) -> Calibration:
    """Measure for about ``seconds``, in slices that alternate between the two kinds of work.

    The fastest slice of each counts: other programs can only have made slices slower.
    """
    slice_s = seconds / (2 * SLICES)
    loopback, interpreter = zip(*((_loopback_s(slice_s), _json_s(slice_s)) for _ in range(SLICES)), strict=True)
    kernel_ratio = min(loopback) / _REFERENCE.loopback_s
    python_ratio = min(interpreter) / _REFERENCE.json_s
    return Calibration(
        per_write_s=REFERENCE_COST.per_write_s * kernel_ratio,
        per_frame_s=REFERENCE_COST.per_frame_s * python_ratio,
        per_post_s=REFERENCE_COST.per_post_s * python_ratio,
        per_hint_s=REFERENCE_COST.per_hint_s * python_ratio,
    )


def _loopback_s(seconds: float) -> float:
    """CPU seconds to send and receive one payload over loopback TCP, over 64 connections in turn."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listener:
        pairs = []
        try:
            for _ in range(64):
                sender = socket.create_connection(listener.getsockname(), timeout=5)
                receiver, _ = listener.accept()
                sender.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                pairs.append((sender, receiver))
            count, end, began = 0, time.monotonic() + seconds, time.process_time()
            while not count or time.monotonic() < end:  # at least once, also on a busy machine
                for sender, receiver in pairs:
                    sender.send(_PAYLOAD)
                    receiver.recv(4096)
                count += len(pairs)
            return (time.process_time() - began) / count
        finally:
            for sender, receiver in pairs:
                sender.close()
                receiver.close()


def _json_s(seconds: float) -> float:
    """CPU seconds to decode one message's JSON object with the standard library."""
    count, end, began = 0, time.monotonic() + seconds, time.process_time()
    while not count or time.monotonic() < end:
        for _ in range(100):
            json.loads(_DOCUMENT)
        count += 100
    return (time.process_time() - began) / count
