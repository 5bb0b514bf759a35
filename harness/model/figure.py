"""Small JSON values that stand beside a sentence: what a finding or a claim measured, and what was expected."""

from collections.abc import Mapping

Scalar = bool | int | float | str | None
Figure = Scalar | Mapping[str, Scalar | Mapping[str, Scalar]]
"""One value, or values by name, at most two levels deep. Names end in their unit (``p99_ms``, ``growth_bytes``)."""
