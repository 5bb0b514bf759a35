"""Validates and benchmarks multi-server broadcast architectures."""

__version__ = "0.3.0"
