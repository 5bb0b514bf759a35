"""The revision of the tested project, from the environment of the command."""

from collections.abc import Mapping, Sequence

from harness.model.errors import UsageError

VARIABLES = ("GITHUB_SHA", "CI_COMMIT_SHA")
"""GitHub Actions and GitLab CI"""


def labels_of(options: Sequence[str]) -> dict[str, str]:
    """``KEY=VALUE`` each. Raises UsageError for one that is not."""
    found = {}
    for option in options:
        key, equals, value = option.partition("=")
        if not equals or not key.strip():
            raise UsageError(f"--label: expected KEY=VALUE, found {option!r}")
        if not option.isprintable():
            raise UsageError(f"--label: expected printable characters, found {option!r}")
        found[key.strip()] = value.strip()
    return found


def revision_of(labels: Mapping[str, str], environment: Mapping[str, str]) -> str:
    """The label ``revision`` if there is one, else the revision of the CI system; empty if there is none."""
    named = labels.get("revision", "")
    return named or next((environment[name] for name in VARIABLES if environment.get(name)), "")
