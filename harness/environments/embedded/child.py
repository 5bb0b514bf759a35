"""One child process of the cluster: it is started with a log and a guard, watched, and ended."""

import asyncio
import contextlib
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

from harness.environments.guard import Guard
from harness.model.child_process import child_environment
from harness.model.component import Component, Role
from harness.model.errors import EnvironmentFailure
from harness.model.process_end import how_it_ended, last_lines


class Child:
    """A running program whose output goes to ``log``. It has its own session, so that Ctrl-C reaches only the
    harness."""

    def __init__(
        self,
        name: str,
        role: Role,
        kind: str,
        arguments: Sequence[str],
        *,
        log: Path,
        guard: Guard,
        user: int | None = None,
        environment: Mapping[str, str] | None = None,
        stop_signal: int = signal.SIGTERM,
    ) -> None:
        self.name = name
        self.role = role
        self.kind = kind
        self.stop_signal = stop_signal
        self.log = log
        self.asked_to_end = False
        self._arguments = tuple(arguments)
        self._guard = guard
        self._user = user
        self._environment = dict(environment or {})
        self._process = self._spawn()

    def start_again(self) -> None:
        """Start the same program again, after it was ended on purpose."""
        self._process = self._spawn()
        self.asked_to_end = False

    def _spawn(self) -> "subprocess.Popen[bytes]":
        with self.log.open("ab") as output:
            try:
                process = subprocess.Popen(
                    self._arguments,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                    cwd="/" if self._user is not None else None,
                    env={**child_environment(), **self._environment},
                    user=self._user,
                    group=self._user,
                    extra_groups=None if self._user is None else [],
                )
            except OSError as error:
                raise EnvironmentFailure(
                    f"{self.name} cannot be started: {self._arguments[0]}: {error.strerror}"
                ) from error
        self._guard.watch_process(process.pid)
        return process

    @property
    def component(self) -> Component:
        return Component(name=self.name, role=self.role, kind=self.kind, pid=self._process.pid)

    def casualty(self) -> str | None:
        """A sentence about an unexpected end, else None."""
        code = self._process.poll()
        if code is None or self.asked_to_end:
            return None
        return f"{self.name} ended unexpectedly: {how_it_ended(code)}; {last_lines(self.log)}"

    def send(self, number: int) -> None:
        if self._process.poll() is None:
            self._process.send_signal(number)

    def send_family(self, number: int) -> None:
        """Send the signal to the program and to every process below it: PostgreSQL has one for each connection."""
        with contextlib.suppress(psutil.NoSuchProcess):
            family = [psutil.Process(self._process.pid)]
            family += family[0].children(recursive=True)
            for member in family:
                with contextlib.suppress(psutil.NoSuchProcess):
                    member.send_signal(number)

    async def end(self, number: int | None = None, *, timeout_s: float = 5.0) -> None:
        """End it by signal ``number`` (by default its stop signal); kill it after ``timeout_s``. Never raises."""
        self.asked_to_end = True
        self.send(self.stop_signal if number is None else number)
        # A frozen process handles no other signal; the processes below may be frozen too.
        self.send_family(signal.SIGCONT)
        if not await self._ended_within(timeout_s):
            self.send_family(signal.SIGKILL)
            await self._ended_within(timeout_s)

    @property
    def ending(self) -> str:
        """How it ended, in words; empty while it runs."""
        code = self._process.poll()
        return "" if code is None else how_it_ended(code)

    async def kill_family(self, timeout_s: float) -> None:
        """End it and every process below it by SIGKILL, and return when it has ended. This end does not count as a
        casualty."""
        self.asked_to_end = True
        self.send_family(signal.SIGKILL)
        await self._ended_within(timeout_s)

    async def _ended_within(self, timeout_s: float) -> bool:
        for _ in range(int(timeout_s / 0.02)):
            if self._process.poll() is not None:
                return True
            await asyncio.sleep(0.02)
        return self._process.poll() is not None
