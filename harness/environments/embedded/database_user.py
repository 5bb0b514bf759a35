"""Which user PostgreSQL runs as, and whether it can run: it refuses root, and initdb needs an entry in the user
database."""

import os
import pwd
import stat
import subprocess
import tempfile
from pathlib import Path

UNPRIVILEGED = "nobody"


def unprivileged_user() -> int | None:
    """The user that PostgreSQL runs as if this process is root; None: as the user of this process. Raises KeyError if
    that user does not exist."""
    return pwd.getpwnam(UNPRIVILEGED).pw_uid if os.geteuid() == 0 else None


def described_user() -> str:
    """This user, and the one that PostgreSQL runs as, for a person."""
    if os.geteuid() == 0:
        return f"root; PostgreSQL runs as {UNPRIVILEGED}"
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return f"number {os.geteuid()}, without a name"


def user_problems() -> list[str]:
    """Why PostgreSQL cannot run as any user here, as sentences."""
    try:
        if unprivileged_user() is None:
            pwd.getpwuid(os.geteuid())
    except KeyError:
        if os.geteuid() == 0:
            return [
                f"PostgreSQL does not run as root and this system has no user {UNPRIVILEGED!r}: run harness as an "
                "ordinary user"
            ]
        return [
            "PostgreSQL's initdb needs a user with a name, but the user database (/etc/passwd) has no entry for number "
            f"{os.geteuid()}: add one where the image is built "
            f"(harness:x:{os.geteuid()}:{os.getegid()}::/tmp:/bin/sh), "
            "run as a user that has one, preload nss_wrapper, or use --environment external"
        ]
    return []


def folder_problems() -> list[str]:
    """Why the temporary folder cannot hold a cluster, as sentences."""
    try:
        folder = Path(tempfile.gettempdir())
    except FileNotFoundError:
        return [
            "no temporary folder can be written: set TMPDIR to a folder that can be written, with 1 GB of free space"
        ]
    try:
        with tempfile.TemporaryDirectory(prefix="harness-", dir=folder) as made:
            if os.geteuid() != 0 or user_problems():
                return []
            return private_folders(Path(made)) or _powerless_root(Path(made))
    except OSError as error:
        return [f"the temporary folder {folder} cannot be written ({error.strerror}): set TMPDIR to another folder"]


def _powerless_root(folder: Path) -> list[str]:
    """Why this root cannot start PostgreSQL as another user, as sentences: every needed step is tried once. A container
    may take capabilities from its root, and a container without subordinate users has no other user.
    """
    user = unprivileged_user()
    assert user is not None
    try:
        data = folder / "database"
        data.mkdir(mode=0o700)
        os.chown(data, user, user)
        (data / "file").touch()
        with subprocess.Popen(
            ["/bin/sh", "-c", "read line"],
            stdin=subprocess.PIPE,
            user=user,
            group=user,
            extra_groups=[],
            cwd="/",
            env={},
        ) as process:
            process.kill()
    except OSError as error:
        return [
            f"PostgreSQL does not run as root but as the user {UNPRIVILEGED!r}, and this root cannot become that user "
            f"or give it a folder ({error.strerror}): run harness as an ordinary user, or as a root that has it and "
            "the capabilities CHOWN, DAC_OVERRIDE, KILL, SETGID and SETUID (docker run --cap-add …)"
        ]
    return []


def private_folders(folder: Path) -> list[str]:
    """The folders above ``folder`` that the user of PostgreSQL cannot pass through, if that is another user."""
    return [
        f"PostgreSQL does not run as root but as the user {UNPRIVILEGED!r}, who must be able to pass through {parent}: "
        f"expected the permission to search it (o+x), found mode {stat.S_IMODE(parent.stat().st_mode):04o}; "
        "set TMPDIR to a folder such as /tmp, or run harness as an ordinary user"
        for parent in folder.absolute().parents
        if not parent.stat().st_mode & stat.S_IXOTH
    ]
