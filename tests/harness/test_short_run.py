"""Short runs on a running cluster."""

import asyncio
import json
from pathlib import Path
from typing import Any
from unittest import mock

import pytest

from harness import short_run
from harness.model.errors import EnvironmentFailure
from harness.model.finding import Verdict
from harness.recording.reader import Recording, read_verdict
from harness.short_run import run_briefly
from tests.harness.plans import a_plan
from tests.harness.test_experiment import Silent


def run(folder: Path, error: BaseException | None = None) -> Verdict:
    cluster: Any = object()

    async def measure(run: Any, cluster: object) -> None:
        run.watch.phase("connect")
        if error is not None:
            raise error

    async def body() -> Verdict:
        return await run_briefly(a_plan(), cluster, folder, Silent())

    with mock.patch.object(short_run, "measure", measure):
        return asyncio.run(body())


def ending_in(folder: Path) -> Any:
    return json.loads((folder / "events.jsonl").read_text().splitlines()[-1])


def test_it_leaves_a_sealed_and_judged_recording(tmp_path: Path) -> None:
    """The recording can be judged and rendered again, like that of any run."""
    folder = tmp_path / "pilots" / "1"
    verdict = run(folder)
    assert ending_in(folder)["how"] == "complete"
    assert Recording.open(folder).plan == a_plan()
    assert read_verdict(folder).status is verdict.status


@pytest.mark.parametrize("error", [EnvironmentFailure("refused"), asyncio.CancelledError()])
def test_one_that_was_cut_short_says_so(tmp_path: Path, error: BaseException) -> None:
    """The error also ends the run that the short run belongs to."""
    folder = tmp_path / "pilots" / "1"
    with pytest.raises(type(error)):
        run(folder, error)
    assert ending_in(folder)["how"] == "interrupted"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """A file is in the place of a folder above it."""
    (tmp_path / "pilots").write_text("")
    with pytest.raises(EnvironmentFailure, match="cannot be written"):
        run(tmp_path / "pilots" / "1")
