"""How a run, a sweep or a search ended, by its exceptions and by signals."""

import asyncio
import shutil
import traceback
from collections.abc import Awaitable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.exit_codes import ExitCode
from harness.interruption import interrupted_by
from harness.model.errors import HarnessError, SafetyFailure, WorkerLost, broken_import, exhausted
from harness.model.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """``how`` is the word in the recording's `ended` event, ``why`` a sentence; empty after a complete one."""

    how: str
    why: str = ""
    exit_code: ExitCode | None = None
    """None: the verdict decides"""


_ROOM_BYTES = 65_536
COMPLETE = Ending(how="complete")
INTERRUPTED = Ending(
    how="interrupted", why="interrupted; the harness removed everything it started", exit_code=ExitCode.INTERRUPTED
)


def words_of(error: Exception) -> str:
    """The message of ``error`` for a person, with the name of its type if the harness did not expect it."""
    if isinstance(error, HarnessError):
        return str(error)
    return exhausted(error) or f"{type(error).__name__}: {error}"


def with_full_disk(ending: Ending, folder: Path) -> Ending:
    """``ending``. If the run ended early and the disk of its ``folder`` is full, the reason is the full disk: a process
    that cannot write its reason gives none."""
    if ending.how not in ("failed", "casualty") or shutil.disk_usage(folder).free >= _ROOM_BYTES:
        return ending
    why = f"{ending.why}; no room is left on the disk of {folder}: free some, or choose another disk with --out"
    return replace(ending, how="failed", why=why, exit_code=ExitCode.ENVIRONMENT)


async def ending_of(work: Awaitable[Any], watch: Watch) -> Ending:
    """Do ``work`` to its end. Errors become the ending, and so does a signal, which cancels the work."""
    body = asyncio.current_task()
    assert body is not None
    try:
        with interrupted_by(partial(_interrupt, body, watch)):
            await work
    except asyncio.CancelledError:
        return INTERRUPTED
    except SafetyFailure as error:
        return Ending(how="failed fast", why=str(error))
    except WorkerLost as error:
        return Ending(how="casualty", why=str(error), exit_code=ExitCode.UNKNOWN)
    except (HarnessError, OSError) as error:
        return Ending(how="failed", why=words_of(error), exit_code=ExitCode.ENVIRONMENT)
    except Exception as error:
        if sentence := broken_import(error):
            return Ending(how="failed", why=sentence, exit_code=ExitCode.ENVIRONMENT)
        watch.note(traceback.format_exc())
        why = f"a bug in the harness itself: {words_of(error)}"
        return Ending(how="failed", why=why, exit_code=ExitCode.ENVIRONMENT)
    return COMPLETE


def _interrupt(body: "asyncio.Task[object]", watch: Watch) -> None:
    # Later signals cancel again: that stops a slow teardown, and the guard then ends the remaining processes.
    body.cancel()
    watch.note("stopping: the harness removes everything it started")
