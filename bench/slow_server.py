"""The reference server with additional CPU use: `harness run SCENARIO --server-module bench.slow_server`.

BENCH_SLOWER_PERCENT says how much. A thread measures the CPU of the process and uses that share in addition, in small
pieces and with the interpreter's lock held, so that the event loop waits for it as for slower code. The thread itself costs
CPU too, which is a large share of a small load. So it also runs with 0 percent: servers of two percentages differ by the
percentages alone.
"""

import os
import runpy
import threading
import time

VARIABLE = "BENCH_SLOWER_PERCENT"
_PIECE_S = 0.02


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
    share = float(os.environ.get(VARIABLE, "0")) / 100
    threading.Thread(target=_burn, args=(share,), daemon=True).start()
    runpy.run_module("reference_server", run_name="__main__", alter_sys=True)
