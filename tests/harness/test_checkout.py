"""The packages of a git revision, for a second build."""

import subprocess
from pathlib import Path

import pytest

from harness.checkout import checked_out, resolve
from harness.model.errors import UsageError


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=n", "-c", "user.email=e@example.org"]
    subprocess.run(["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True)


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A project with two revisions of a server. It also has a package named `harness` and a package below src/."""
    folder = tmp_path / "project"
    for name in ("mine", "harness", "src/below"):
        (folder / name).mkdir(parents=True)
        (folder / name / "__init__.py").write_text("REVISION = 1\n")
    git(tmp_path, "init", "-q", str(folder))
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "one")
    git(folder, "tag", "one")
    (folder / "mine" / "__init__.py").write_text("REVISION = 2\n")
    git(folder, "commit", "-qam", "two")
    return folder


def test_an_earlier_revision_is_there_and_gone_afterwards(project: Path) -> None:
    """The folder holds the revision's packages, also those in src/, but not the harness's. The repository does not
    change."""
    with checked_out(project, "one", "mine") as found:
        assert (found.folder / "mine" / "__init__.py").read_text() == "REVISION = 1\n"
        assert sorted(path.name for path in found.folder.iterdir()) == ["below", "mine"]
        assert found.commit == resolve(project, "one")
    assert not found.folder.exists()
    assert (project / "mine" / "__init__.py").read_text() == "REVISION = 2\n"
    status = subprocess.run(["git", "-C", str(project), "status", "--short"], check=True, capture_output=True)
    assert status.stdout == b""


@pytest.mark.parametrize("reference", ["no-such", "--help", "HEAD~9"])
def test_what_is_no_revision_is_told(project: Path, reference: str) -> None:
    """An option of git is not a revision."""
    with pytest.raises(UsageError, match="git revision"), checked_out(project, reference, "mine"):
        pass


def test_a_revision_without_the_server_is_told(project: Path) -> None:
    """The error comes before anything starts."""
    with pytest.raises(UsageError, match="other"), checked_out(project, "one", "other.server"):
        pass


def test_a_folder_without_a_repository_is_told(tmp_path: Path) -> None:
    """The error comes before anything starts."""
    with pytest.raises(UsageError, match="git revision"):
        resolve(tmp_path, "HEAD")
