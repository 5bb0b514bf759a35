"""Makes each measurement separately: one that raises is absent by name, and the others are still made."""

import logging
from collections.abc import Callable
from typing import TypeVar

from harness.model.errors import HarnessError
from harness.model.measurements.not_measured import NotMeasured

T = TypeVar("T")

_log = logging.getLogger(__name__)


class Attempts:
    """Keeps the name and the reason of each measurement that could not be made."""

    def __init__(self) -> None:
        self._failed: dict[str, str] = {}

    def make(self, name: str, measurement: Callable[[], T], absent: T) -> T:
        """The result of ``measurement``, or ``absent`` if it raises. Errors of the harness's environment (a full disk)
        are raised: the recording does not cause them."""
        try:
            return measurement()
        except HarnessError:
            raise
        except Exception as error:
            _log.exception("%s could not be measured", name)
            self.note(name, f"{type(error).__name__}: {error}")
            return absent

    def note(self, name: str, reason: str) -> None:
        """The measurement ``name`` cannot be made, for ``reason``. The first reason counts."""
        self._failed.setdefault(name, reason)

    @property
    def failed(self) -> tuple[NotMeasured, ...]:
        return tuple(NotMeasured(name=name, reason=reason) for name, reason in self._failed.items())
