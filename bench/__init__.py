"""Measures every claim about speed, beside lower bounds and other programs: `python -m bench`, or one of its
modules."""
