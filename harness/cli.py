"""The `harness` program: extensions first, because the help of the commands lists their members, then the commands."""

import sys
from typing import NoReturn

from harness.exit_codes import ExitCode
from harness.model.errors import UsageError, broken_import
from harness.model.registry import load_extensions
from harness.output import protect_output


def main() -> NoReturn:
    protect_output()
    try:
        load_extensions()
        from harness.commands import app

        app()
    except UsageError as error:
        print(f"harness: {error}", file=sys.stderr, flush=True)
        sys.exit(ExitCode.USAGE)
    except ImportError as error:
        print(f"harness: {broken_import(error)}", file=sys.stderr, flush=True)
        sys.exit(ExitCode.ENVIRONMENT)
    except KeyboardInterrupt:
        print("harness: interrupted", file=sys.stderr, flush=True)
        sys.exit(ExitCode.INTERRUPTED)
    sys.exit(ExitCode.PASS)


if __name__ == "__main__":
    main()
