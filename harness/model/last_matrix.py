"""The matrix that a run's report points to."""

from dataclasses import dataclass

from harness.model.measurements.matrix_measurements import MatrixMeasurements


@dataclass(frozen=True, slots=True, kw_only=True)
class LastMatrix:
    """The newest complete matrix of a machine, or the one that the run is a cell of.

    ``measured`` is None for the latter: a cell's report is written before its matrix has figures. ``began`` is a time in
    UTC (ISO 8601).
    """

    page: str
    """the absolute path of its HTML page"""
    began: str = ""
    size: str = ""
    environment: str = ""
    measured: MatrixMeasurements | None = None
