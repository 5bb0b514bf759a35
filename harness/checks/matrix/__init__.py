"""Runs of a matrix → one verdict over all systems."""
