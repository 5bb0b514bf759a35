"""Which deliveries and answers a bug breaks that breaks single ones."""

VICTIM_SEQ = 5
"""Each victim is hit in its channel's fifth message; the first is the harness's probe."""
VICTIMS = 3
