"""Kinds of component, one module each: how a database or a broker is asked whether it answers, how it is sampled, which of
its settings are recorded. `harness.model.component` holds the registry."""

from harness.components.adapter import Adapter, Sampler
from harness.model.component import COMPONENT_KINDS
from harness.model.registry import load

__all__ = ["Adapter", "Sampler", "adapter_of"]


def adapter_of(kind: str) -> Adapter:
    """The adapter of a kind of component. Raises UsageError for a kind that is not in the registry."""
    adapter: Adapter = load(COMPONENT_KINDS.get(kind).adapter)()
    return adapter
