"""`python -m bench`: every benchmark in turn, about ten minutes; `python -m bench NAME …`: those only."""

import importlib
import sys

NAMES = ("gateway", "load_worker", "memory", "judge", "bridge", "backplane", "live_view")


def main() -> int:
    wanted = sys.argv[1:] or list(NAMES)
    if unknown := [name for name in wanted if name not in NAMES]:
        print(f"unknown benchmark {', '.join(unknown)}: expected {', '.join(NAMES)}", file=sys.stderr)
        return 2
    missed = [name for name in wanted if not importlib.import_module(f"bench.{name}").main()]
    print(f"\nmarks missed: {', '.join(missed)}" if missed else "\nall marks kept")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
