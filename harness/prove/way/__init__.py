"""A proxy in front of each server that speaks docs/protocol.md and breaks one promise of it on purpose."""
