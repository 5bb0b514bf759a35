"""``python -m reference_server.health --settings FILE``: whether the server with these settings answers.

For a container's health check. Exit code 0: it answers /healthz with 200; 1: it does not.
"""

import argparse
import http.client
import sys
from contextlib import closing
from pathlib import Path

from reference_server.settings import SettingsError, load

TIMEOUT_S = 3.0


def main() -> int:
    parser = argparse.ArgumentParser(prog="reference_server.health", description="Ask one server for its health.")
    parser.add_argument("--settings", type=Path, required=True, metavar="FILE", help="the server's settings")
    arguments = parser.parse_args()
    try:
        settings = load(arguments.settings)
        with closing(http.client.HTTPConnection("127.0.0.1", settings.port, timeout=TIMEOUT_S)) as connection:
            connection.request("GET", "/healthz", headers={"Authorization": f"Bearer {settings.token}"})
            status = connection.getresponse().status
    except (SettingsError, OSError, http.client.HTTPException) as error:
        print(error, file=sys.stderr)
        return 1
    return 0 if status == 200 else 1


if __name__ == "__main__":
    sys.exit(main())
