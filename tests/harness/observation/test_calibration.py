from dataclasses import astuple

from harness.observation.calibration import REFERENCE_COST, calibrate


def test_a_machine_without_time_for_it_is_measured_all_the_same() -> None:
    """A slice that is over before it began, because other programs had the processor, still has one round: no division by
    zero."""
    assert all(cost_s > 0 for cost_s in astuple(calibrate(0.0)))


def test_costs_keep_the_proportions_of_the_reference() -> None:
    """The interpreter's costs are scaled by one factor, the kernel's by another."""
    found = calibrate(0.01)
    scale = found.per_post_s / REFERENCE_COST.per_post_s
    assert abs(found.per_frame_s / REFERENCE_COST.per_frame_s - scale) < 1e-9 * scale
    assert abs(found.per_hint_s / REFERENCE_COST.per_hint_s - scale) < 1e-9 * scale
