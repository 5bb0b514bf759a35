"""Kinds of component, one module each: how the harness checks whether a database or a broker answers, how it samples
it, and which settings it records. `harness.model.component` holds the registry."""

from harness.components.adapter import Adapter, Sampler
from harness.model.component import COMPONENT_KINDS
from harness.model.registry import load

__all__ = ["Adapter", "Sampler", "adapter_of"]


def adapter_of(kind: str) -> Adapter:
    """The adapter of a kind of component. Raises UsageError for a kind that is not in the registry."""
    adapter: Adapter = load(COMPONENT_KINDS.get(kind).adapter)()
    return adapter
