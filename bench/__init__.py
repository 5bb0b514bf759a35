"""What we claim about speed, measured beside floors and peers: `python -m bench`, or one of its modules."""
