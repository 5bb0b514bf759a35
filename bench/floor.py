"""Compiles and runs floor.c."""

import json
import shutil
import subprocess
import tempfile
from pathlib import Path

SOURCE = Path(__file__).with_name("floor.c")


class Floor:
    """The C program, built once into a folder that is removed with this object. Without a compiler ``program`` is None."""

    def __init__(self) -> None:
        self.program: Path | None = None
        if compiler := shutil.which("cc"):
            self._folder = tempfile.TemporaryDirectory(prefix="harness-bench-")
            self.program = Path(self._folder.name) / "floor"
            subprocess.run([compiler, "-O2", "-o", str(self.program), str(SOURCE)], check=True)

    def measure(self, connections: int, rounds: int, pause_s: float) -> dict[str, float] | None:
        """CPU µs per delivery, ``send_us`` and ``receive_us``."""
        if self.program is None:
            return None
        arguments = [str(self.program), str(connections), str(rounds), str(int(pause_s * 1e6))]
        shown = subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=120)
        found: dict[str, float] = json.loads(shown.stdout)
        return found
