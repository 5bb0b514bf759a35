"""The entries of the registry, by subject."""
