"""``python -m reference_server --settings FILE``: one server until SIGTERM or SIGINT.

Exit codes: 0 stopped by a signal, 1 failed while running, 2 the settings cannot be used, 4 could not start.
"""

import argparse
import asyncio
import gc
import logging
import sys
from pathlib import Path

import uvloop

from reference_server.server import CannotStart, serve
from reference_server.settings import SettingsError, load

FAILED, UNUSABLE_SETTINGS, CANNOT_START = 1, 2, 4


def main() -> int:
    parser = argparse.ArgumentParser(prog="reference_server", description="One server of the broadcast service.")
    parser.add_argument("--settings", type=Path, required=True, metavar="FILE", help="settings as JSON")
    arguments = parser.parse_args()
    try:
        settings = load(arguments.settings)
    except SettingsError as error:
        print(error, file=sys.stderr)
        return UNUSABLE_SETTINGS
    logging.basicConfig(format=f"%(asctime)s {settings.name} %(levelname)s %(message)s", level=logging.INFO)
    logging.getLogger("uvicorn").setLevel(logging.WARNING)  # uvicorn would log a line for each connection
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(serve(settings))
    except CannotStart as error:
        print(f"{settings.name}: {error}", file=sys.stderr)
        return CANNOT_START
    except KeyboardInterrupt:
        pass  # SIGINT during the start
    return 0


if __name__ == "__main__":
    code = main()
    gc.freeze()  # otherwise the interpreter searches the rest of 10,000 connections for garbage: a second without use
    sys.exit(code)
