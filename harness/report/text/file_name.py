"""Names of a recording → names of files."""


def plain_name(name: str, otherwise: str) -> str:
    """``name`` where that is a plain word of at most 40 letters, so that nothing in a recording can name a path."""
    return name if name.isascii() and name.replace("_", "").isalnum() and len(name) <= 40 else otherwise
