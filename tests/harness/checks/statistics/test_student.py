import math

import pytest

from harness.checks.statistics.student import student_probability, student_quantile


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.975, 1, 12.706), (0.95, 1, 6.314), (0.975, 2, 4.303), (0.95, 6, 1.943), (0.975, 30, 2.042), (0.95, 500, 1.645)],
)
def test_students_t_is_the_tables(probability: float, freedom: int, quantile: float) -> None:
    """The values are those of printed tables."""
    assert student_quantile(probability, freedom) == pytest.approx(quantile, abs=2e-3)
    assert student_probability(quantile, freedom) == pytest.approx(probability, abs=1e-4)
    assert student_probability(-quantile, freedom) == pytest.approx(1 - probability, abs=1e-4)


def test_without_a_degree_of_freedom_nothing_is_known() -> None:
    """The quantile is infinite, and both signs are equally likely."""
    assert student_quantile(0.95, 0) == math.inf
    assert student_probability(5.0, 0) == 0.5
