"""The reference server with additional CPU use: `harness run SCENARIO --server-module bench.slow_server`.

BENCH_SLOWER_PERCENT says how much. A thread measures the CPU of the process and uses that share in addition, in small
pieces and with the interpreter's lock held, so that the event loop waits for it as for slower code.
"""

import os
import runpy
import threading
import time

VARIABLE = "BENCH_SLOWER_PERCENT"
_PIECE_S = 0.005


def _burn(share: float) -> None:
    seen = time.process_time()
    while True:
        time.sleep(_PIECE_S)
        owed = share * (time.process_time() - seen)
        begun = time.thread_time()
        while time.thread_time() - begun < owed:
            pass
        seen = time.process_time()


if __name__ == "__main__":
    percent = float(os.environ.get(VARIABLE, "0"))
    if percent > 0:
        threading.Thread(target=_burn, args=(percent / 100,), daemon=True).start()
    runpy.run_module("reference_server", run_name="__main__", alter_sys=True)
