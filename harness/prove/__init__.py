"""`harness prove`: planted bugs and honest controls against the real pipeline, and a table of what the verdict said."""
