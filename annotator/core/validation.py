"""A model's own bounds, as errors of a service."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.db.models import Model

from .errors import FieldError, Invalid


def checked(row: Model, *, exclude: set[str] | None = None) -> None:
    """Raise Invalid for values of ``row`` that its fields do not allow."""
    try:
        row.clean_fields(exclude=exclude)
    except ValidationError as error:
        raise Invalid(
            [
                FieldError(field, "invalid", message=" ".join(messages))
                for field, messages in error.message_dict.items()
            ]
        ) from error
