"""The reference server with a planted cost: each message that it reads takes time that grows with the number of servers.

Over all N servers that is N² for a message: the thing that the architecture claims not to have.
"""

import gc
import os
import sys
import time

from reference_server import __main__ as program
from reference_server.gateway.gateway import Gateway

COST_S = float(os.environ["PLANTED_COST_S"])
"""for one message at one server, with as many servers as there are"""

_on_message = Gateway.on_message


def _costly(self: Gateway, channel: str, seq: int, frame: bytes) -> None:
    until_s = time.thread_time() + COST_S
    while time.thread_time() < until_s:
        pass
    _on_message(self, channel, seq, frame)


Gateway.on_message = _costly  # type: ignore[method-assign]  # that is the plant

if __name__ == "__main__":
    code = program.main()
    gc.freeze()
    sys.exit(code)
