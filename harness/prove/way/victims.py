"""The single deliveries and answers that a bug breaks."""

VICTIM_SEQ = 5
"""Each victim is hit in its channel's fifth message; the first is the harness's probe."""
VICTIMS = 3
