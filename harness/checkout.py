"""A revision of the tested project in a temporary folder, so that its server can be started beside the present one.

The files come from `git archive`, so the repository and its list of worktrees do not change.
"""

import io
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from harness.model.errors import UsageError

OWN = ("harness", "scenarios", "planted_server", "tests", "bench")
"""Packages that are never taken from a revision: the harness is the same for both builds."""
_GIT_LIMIT_S = 120


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    """``folder`` has only the revision's packages and modules, so that it can be on a search path."""

    commit: str
    folder: Path


@contextmanager
def checked_out(project: Path, reference: str, module: str) -> Iterator[Checkout]:
    """The packages of ``reference`` as long as the block lasts. Raises UsageError if there is no such revision, or no
    ``module`` in it."""
    commit = resolve(project, reference)
    with tempfile.TemporaryDirectory(prefix="harness-revision-") as name:
        source, packages = Path(name, "source"), Path(name, "packages")
        packages.mkdir()
        archive = _git(project, "archive", "--format=tar", commit)
        with tarfile.open(fileobj=io.BytesIO(archive)) as tar:
            # Python 3.11.0 to 3.11.3 have neither the filter nor the argument of extractall: there the attribute does
            # nothing.
            if hasattr(tarfile, "data_filter"):
                tar.extraction_filter = tarfile.data_filter
            tar.extractall(source)  # noqa: S202  # git wrote the archive, of the person's own repository
        for folder in (source, source / "src"):
            for entry in _importable(folder):
                if entry.stem not in OWN and not (packages / entry.name).exists():
                    (packages / entry.name).symlink_to(entry)
        wanted = module.partition(".")[0]
        if not any((packages / each).exists() for each in (wanted, f"{wanted}.py")):
            raise UsageError(
                f"revision {reference} of {project} has no Python package {wanted!r} at its top or in src/: name the "
                "server's module with --server-module"
            )
        yield Checkout(commit=commit, folder=packages)


def resolve(project: Path, reference: str) -> str:
    """The commit that ``reference`` names. Raises UsageError."""
    try:
        top = _git(project, "rev-parse", "--verify", "--end-of-options", f"{reference}^{{commit}}")
    except UsageError as error:
        raise UsageError(
            f"--against: expected module:NAME or a git revision of {project}, found {reference!r}: {error}"
        ) from None
    return top.decode().strip()


def _importable(folder: Path) -> list[Path]:
    if not folder.is_dir():
        return []
    return [
        entry
        for entry in sorted(folder.iterdir())
        if entry.suffix == ".py" or (entry.is_dir() and entry.name.isidentifier() and any(entry.glob("*.py")))
    ]


def _git(project: Path, *arguments: str) -> bytes:
    top = ["git", "-C", str(project)]
    try:
        root = subprocess.run(
            [*top, "rev-parse", "--show-toplevel"],
            capture_output=True,
            timeout=_GIT_LIMIT_S,
            check=True,
        )
        done = subprocess.run(
            ["git", "-C", root.stdout.decode().strip(), *arguments],  # noqa: S607 - the user's own git
            capture_output=True,
            timeout=_GIT_LIMIT_S,
            check=True,
        )
    except FileNotFoundError:
        raise UsageError("git was not found on the search path; install it, or compare with module:NAME") from None
    except subprocess.CalledProcessError as error:
        raise UsageError(error.stderr.decode(errors="replace").strip() or "git failed") from None
    except subprocess.TimeoutExpired:
        raise UsageError(f"git took longer than {_GIT_LIMIT_S} s") from None
    return done.stdout
