"""Prints each direct dependency at its lower bound, as constraints for pip.

The only list of bounds is pyproject.toml. A dependency without a lower bound is an error, because nothing could be tested.
"""

import re
import sys
import tomllib
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent / "pyproject.toml"
BOUNDED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)>=(?P<version>[0-9][0-9.]*)(?P<marker>\s*;.*)?")


def lowest(requirement: str) -> str:
    """The requirement with ``==`` in place of ``>=``; its marker stays."""
    found = BOUNDED.fullmatch(requirement)
    if found is None:
        sys.exit(f"{PROJECT}: expected name>=version, found {requirement!r}; state a lower bound")
    return f"{found['name']}=={found['version']}{found['marker'] or ''}"


if __name__ == "__main__":
    for requirement in tomllib.loads(PROJECT.read_text())["project"]["dependencies"]:
        print(lowest(requirement))
