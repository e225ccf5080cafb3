"""Writing captions: always in the canonical form."""

from __future__ import annotations

from collections.abc import Container, Mapping

from .errors import CaptionError
from .labels import colons_of_labels
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
    names = schema.by_name()
    return "|".join(
        f"【{field.label['zh']}】{_written(good[field.key], names)}"
        for field in schema.fields
        if field.key in good
    )


def _written(value: Value, names: Container[str]) -> str:
    """A value as it stands in a caption.

    Beside the characters that :func:`~.text.escape` guards, a backslash goes before a text that
    would be read as unknown, before a leading colon, which a reader takes for a part of the label,
    and before a colon that would make a label of the words in front of it.
    """
    if isinstance(value, Unknown):
        text, guarded = value.text(), colons_of_labels(value.text(), names)
    else:
        text, guarded = value, colons_of_labels(value, names)
        if parse_unknown(value) is not None or value.startswith((":", "：")):
            guarded.add(0)
    return "".join(
        "\\" + char if place in guarded else escape(char) for place, char in enumerate(text)
    )
