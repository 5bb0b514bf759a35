"""The reference server with a planted bug, for `harness prove`. Nothing else starts it."""
