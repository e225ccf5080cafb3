"""Writing captions: always in the canonical form."""

from __future__ import annotations

from collections.abc import Mapping

from .errors import CaptionError
from .schema import DEFAULT_SCHEMA, Schema
from .text import escape
from .values import Unknown, Value, parse_unknown, validate


def format_caption(values: Mapping[str, Value], schema: Schema = DEFAULT_SCHEMA) -> str:
    """The canonical caption of ``values``: Chinese labels, the schema's order, values normalised.

    Fields may be missing. Raises :class:`CaptionError` for values that are not valid and for keys
    that the schema does not have.
    """
    good, errors = validate(values, schema, complete=False)
    if errors:
        raise CaptionError(errors)
    return "|".join(
        f"【{field.label['zh']}】{_written(good[field.key])}"
        for field in schema.fields
        if field.key in good
    )


def _written(value: Value) -> str:
    """A value as it stands in a caption.

    A text that would be read as unknown, and a leading colon, which a reader takes for a part of
    the label, get a backslash in front.
    """
    if isinstance(value, Unknown):
        return escape(value.text())
    if parse_unknown(value) is not None or value.startswith((":", "：")):
        return "\\" + escape(value)
    return escape(value)
