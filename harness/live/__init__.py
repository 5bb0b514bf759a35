"""The live view of a run: rows once a second in its recording, and a page on loopback that shows them."""
