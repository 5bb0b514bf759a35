"""How a run, a sweep or a search ended, from what was raised in it and from signals."""

import asyncio
import traceback
from collections.abc import Awaitable
from dataclasses import dataclass
from typing import Any

from harness.exit_codes import ExitCode
from harness.interruption import interrupting_signals
from harness.model.errors import HarnessError, SafetyFailure, WorkerLost, broken_import
from harness.model.watch import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """``how`` is the word in the recording's `ended` event, ``why`` a sentence; empty after a complete one."""

    how: str
    why: str = ""
    exit_code: ExitCode | None = None
    """None: the verdict decides"""


COMPLETE = Ending(how="complete")
INTERRUPTED = Ending(
    how="interrupted", why="interrupted; the harness removed everything it started", exit_code=ExitCode.INTERRUPTED
)


def words_of(error: Exception) -> str:
    """The message for ``error``, with the name of its type if the harness did not expect it."""
    return str(error) if isinstance(error, HarnessError) else f"{type(error).__name__}: {error}"


async def ending_of(work: Awaitable[Any], watch: Watch) -> Ending:
    """Do ``work`` to its end. Errors become the ending, and so does a signal, which cancels the work."""
    body = asyncio.current_task()
    assert body is not None
    loop = asyncio.get_running_loop()
    for number in interrupting_signals():
        loop.add_signal_handler(number, _interrupt, body, watch)
    try:
        await work
    except asyncio.CancelledError:
        return INTERRUPTED
    except SafetyFailure as error:
        return Ending(how="failed fast", why=str(error))
    except WorkerLost as error:
        return Ending(how="casualty", why=str(error), exit_code=ExitCode.UNKNOWN)
    except (HarnessError, OSError) as error:
        return Ending(how="failed", why=words_of(error), exit_code=ExitCode.ENVIRONMENT)
    except ImportError as error:
        return Ending(how="failed", why=broken_import(error), exit_code=ExitCode.ENVIRONMENT)
    except Exception as error:
        watch.note(traceback.format_exc())
        why = f"a bug in the harness itself: {words_of(error)}"
        return Ending(how="failed", why=why, exit_code=ExitCode.ENVIRONMENT)
    return COMPLETE


def _interrupt(body: "asyncio.Task[object]", watch: Watch) -> None:
    # Later signals cancel again: that cuts a slow teardown short, and what it then leaves, the guard ends.
    body.cancel()
    watch.note("stopping: the harness removes everything it started")
