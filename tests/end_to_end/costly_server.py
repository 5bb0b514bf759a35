"""The reference server with a planted cost. For each message that a server reads, it burns CPU time that grows with the
number of servers.

Over all N servers a message costs N². The architecture claims that it has no such cost.
"""

import gc
import os
import sys
import time

from reference_server import __main__ as program
from reference_server.gateway.gateway import Gateway

COST_S = float(os.environ["PLANTED_COST_S"])
"""The CPU time of one message at one server. It depends on the number of servers of the run."""

_on_message = Gateway.on_message


def _costly(self: Gateway, channel: str, seq: int, frame: bytes) -> None:
    until_s = time.thread_time() + COST_S
    while time.thread_time() < until_s:
        pass
    _on_message(self, channel, seq, frame)


Gateway.on_message = _costly  # type: ignore[method-assign]  # this is the planted cost

if __name__ == "__main__":
    code = program.main()
    gc.freeze()
    sys.exit(code)
