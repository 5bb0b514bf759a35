"""What was measured, as values: from the checks to the report, and as JSON in verdict.json.

All types are frozen. A name ends in its unit. A name speaks of a role (servers, broker, database, workers, publisher,
machine), never of a product; the product is a value (``kind``). None means: not measured. No value is estimated in its
place.
"""
