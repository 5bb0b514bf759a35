"""``python -m planted_server --settings FILE``: the reference server with the bug that the variable PLANTED_BUG names.

PLANTED_BUG is an import path (``planted_server.storage_bugs:NeverStored``). PLANTED_EVENTS is the file that gets one
line for each planted event. Without both of them the program does not start.
"""

import gc
import importlib
import os
import sys
from pathlib import Path
from typing import Any

from planted_server.storage_bug import PlantedLines, StorageBug
from reference_server.__main__ import UNUSABLE_SETTINGS, main
from reference_server.write_path import db_first
from reference_server.write_path.base import Publish


def plant(bug: type[StorageBug], lines: PlantedLines) -> None:
    """Put ``bug`` between the write path and the message log of this process."""

    class Planted(db_first.DbFirst):
        def __init__(self, log: Any, publish: Publish, **options: Any) -> None:
            super().__init__(bug(log, publish, lines), publish, **options)  # type: ignore[arg-type]  # it only appends

    db_first.DbFirst = Planted  # type: ignore[misc]  # this is the planted bug


if __name__ == "__main__":
    name, path = os.environ.get("PLANTED_BUG", ""), os.environ.get("PLANTED_EVENTS", "")
    if not name or not path:
        print(
            "expected the variables PLANTED_BUG and PLANTED_EVENTS; only `harness prove` starts this server",
            file=sys.stderr,
        )
        sys.exit(UNUSABLE_SETTINGS)
    module, _, attribute = name.partition(":")
    plant(getattr(importlib.import_module(module), attribute), PlantedLines(Path(path)))
    code = main()
    gc.freeze()  # as in the reference server: no search for garbage at the end
    sys.exit(code)
