import numpy as np
import pytest

from harness.checks.statistics.comparisons import holm


@pytest.mark.parametrize(
    ("p_values", "rejected"),
    [
        ((), ()),
        ((0.04,), (True,)),
        ((0.04, 0.04), (False, False)),
        ((0.04, 0.02), (True, True)),
        ((0.01, 0.06, 0.02), (True, False, True)),
        ((0.02, 0.001, 0.03), (True, True, True)),
        ((0.03, 0.001, 0.03), (False, True, False)),
    ],
)
def test_each_step_asks_for_less(p_values: tuple[float, ...], rejected: tuple[bool, ...]) -> None:
    """The smallest p-value is compared with 0.05 over the number of p-values, the next one with 0.05 over one fewer.
    The procedure stops at the first p-value that is too large."""
    assert holm(p_values) == rejected


def test_a_true_hypothesis_is_rejected_in_one_family_of_twenty() -> None:
    """A family has six true hypotheses. Without the correction one family of four was rejected."""
    p_values = np.random.default_rng(1).uniform(size=(4_000, 6))
    assert np.mean([any(holm(row)) for row in p_values.tolist()]) == pytest.approx(0.05, abs=0.01)
    assert np.mean((p_values <= 0.05).any(axis=1)) > 0.25
