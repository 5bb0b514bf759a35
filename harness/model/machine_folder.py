"""The folder that all jobs of one machine share."""

import os
import tempfile
from pathlib import Path

_SHARED = Path("/tmp")  # noqa: S108 - what is made here has names and permissions of its own


def machine_folder() -> Path:
    """The system's folder for temporary files, whatever TMPDIR is. CI gives each job its own TMPDIR, so other jobs
    would not find files there. TMPDIR is used only if that folder cannot be written.
    """
    return _SHARED if os.access(_SHARED, os.W_OK | os.X_OK) else Path(tempfile.gettempdir())
