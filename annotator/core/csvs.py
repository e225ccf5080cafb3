"""Lists as CSV."""

from __future__ import annotations


def no_formula(cell: object) -> object:
    """A spreadsheet runs a cell that begins like this; a name is anybody's to choose."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in "=+-@\t\r" and cell else cell
