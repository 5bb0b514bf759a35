"""Each measurement can fail without the others."""

import pytest

from harness.checks.evidence.attempts import Attempts
from harness.model.errors import EnvironmentFailure
from harness.model.measurements.not_measured import NotMeasured


def fail(error: Exception) -> int:
    raise error


def test_one_that_raises_is_absent_by_name() -> None:
    """The other measurements are made. The first reason of a name counts."""
    attempts = Attempts()
    assert attempts.make("steps", lambda: fail(IndexError("empty")), 0) == 0
    assert attempts.make("rates", lambda: 7, 0) == 7
    attempts.note("steps", "later")
    attempts.note("ledger", "posts.npy is missing")
    assert attempts.failed == (
        NotMeasured(name="steps", reason="IndexError: empty"),
        NotMeasured(name="ledger", reason="posts.npy is missing"),
    )


def test_a_full_disk_is_no_property_of_the_recording() -> None:
    """An error that the user can mend is raised."""
    with pytest.raises(EnvironmentFailure):
        Attempts().make("deliveries", lambda: fail(EnvironmentFailure("full")), 0)
