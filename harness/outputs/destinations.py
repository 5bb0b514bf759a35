"""The files of the outputs: checked before anything starts, written at the end."""

import os
import sys
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness.model.errors import EnvironmentFailure, UsageError
from harness.model.output_format import OUTPUTS
from harness.model.registry import load
from harness.model.summary import Summary

STEP_SUMMARY, STEP_OUTPUT = "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT"


@dataclass(frozen=True, slots=True, kw_only=True)
class Destinations:
    """``files`` are by the name of the output. ``github``: a step of GitHub Actions gets summary, annotations,
    outputs."""

    files: Mapping[str, Path] = field(default_factory=dict)
    github: bool = False

    def __bool__(self) -> bool:
        return bool(self.files) or self.github

    def refuse_unwritable(self) -> None:
        """Raises UsageError with every file that cannot be written, before a run is made."""
        objections = [problem for name, path in self.files.items() if (problem := _problem(f"--{name}", path))]
        if self.github:
            summary = os.environ.get(STEP_SUMMARY)
            if not summary:
                objections.append(
                    f"--github: expected {STEP_SUMMARY} in the environment, as in a step of GitHub Actions, found "
                    "none: leave --github out, or write a summary with --markdown FILE"
                )
            elif problem := _problem(f"--github ({STEP_SUMMARY})", Path(summary)):
                objections.append(problem)
        if objections:
            raise UsageError(*objections)

    def write(self, summary: Summary) -> None:
        """Write each file in one step. Raises EnvironmentFailure with the files that could not be written, after the
        others were written."""
        troubles = []
        for name, path in self.files.items():
            try:
                _replace(path, load(OUTPUTS.get(name).renderer)(summary))
            except OSError as error:
                troubles.append(f"--{name} {path}: {error.strerror or error}")
        if self.github:
            troubles += _tell_github(summary)
        if troubles:
            raise EnvironmentFailure("outputs could not be written: " + "; ".join(troubles))


def _tell_github(summary: Summary) -> list[str]:
    from harness.outputs import github, markdown

    # Standard error: with --json only the verdict may be on standard output, and the runner reads both.
    for line in github.annotations(summary):
        print(line, file=sys.stderr, flush=True)
    troubles = []
    for variable, text in ((STEP_SUMMARY, markdown.render(summary)), (STEP_OUTPUT, github.outputs(summary))):
        if path := os.environ.get(variable):
            try:
                with Path(path).open("a", encoding="utf-8", errors="replace") as file:
                    file.write(text)
            except OSError as error:
                troubles.append(f"{variable} {path}: {error.strerror or error}")
    return troubles


def _problem(option: str, path: Path) -> str:
    """Why ``path`` cannot be written; empty if it can. It only creates missing folders."""
    if path.is_dir():
        return f"{option}: expected a file, found the folder {path}"
    try:
        path = path.resolve()
        path.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=path.parent):
            pass
        if path.exists() and not os.access(path, os.W_OK):
            return f"{option}: expected a file that can be written, found {path} without that permission"
    except OSError as error:
        return f"{option}: expected a file that can be written, found {path}: {error.strerror or error}"
    return ""


def _replace(path: Path, text: str) -> None:
    path = path.resolve()
    if path.exists() and not path.is_file():  # a device or a pipe: there is nothing to replace
        path.write_text(text, encoding="utf-8", errors="replace")
        return
    draft = path.with_name(f".{path.name}-{os.getpid()}")
    try:
        draft.write_text(text, encoding="utf-8", errors="replace")
        draft.replace(path)
    finally:
        draft.unlink(missing_ok=True)
