from dataclasses import astuple

import pytest

from harness.observation import calibration
from harness.observation.calibration import REFERENCE_COST, calibrate


def test_the_reference_machine_has_the_reference_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fastest slice counts, because other work on the machine can only make a slice slower."""
    slices = iter([9.0, 1.0, 2.0, 5.0, 3.0])
    monkeypatch.setattr(calibration, "_loopback_s", lambda _: next(slices) * calibration._REFERENCE.loopback_s)
    monkeypatch.setattr(calibration, "_json_s", lambda _: calibration._REFERENCE.json_s)
    assert calibrate() == REFERENCE_COST


def test_each_kind_of_work_scales_its_own_costs(monkeypatch: pytest.MonkeyPatch) -> None:
    """The kernel does the writes to sockets, and the interpreter does the rest."""
    monkeypatch.setattr(calibration, "_loopback_s", lambda _: 2 * calibration._REFERENCE.loopback_s)
    monkeypatch.setattr(calibration, "_json_s", lambda _: 3 * calibration._REFERENCE.json_s)
    found = calibrate()
    assert found.per_write_s == pytest.approx(2 * REFERENCE_COST.per_write_s)
    for name in ("per_frame_s", "per_post_s", "per_hint_s"):
        assert getattr(found, name) == pytest.approx(3 * getattr(REFERENCE_COST, name))


def test_both_measurements_give_a_time() -> None:
    """The time is that of one unit and greater than 0."""
    assert calibration._loopback_s(0.02) > 0
    assert calibration._json_s(0.02) > 0


def test_a_machine_without_time_for_it_is_measured_all_the_same() -> None:
    """Other programs may use the processor until a slice is already over. The slice still has one round, so there is no
    division by zero."""
    assert all(cost_s > 0 for cost_s in astuple(calibrate(0.0)))


def test_costs_keep_the_proportions_of_the_reference() -> None:
    """The costs of the interpreter are scaled by one factor, and the cost of the kernel by another."""
    found = calibrate(0.01)
    scale = found.per_post_s / REFERENCE_COST.per_post_s
    assert abs(found.per_frame_s / REFERENCE_COST.per_frame_s - scale) < 1e-9 * scale
    assert abs(found.per_hint_s / REFERENCE_COST.per_hint_s - scale) < 1e-9 * scale
