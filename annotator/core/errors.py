"""What services raise when a rule says no. The HTTP layer turns these into problem+json."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from .messages import text


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing to mend: where (``field``), what (``code``, ``params``) and in words."""

    field: str
    code: str
    params: dict[str, Any] = dataclasses.field(default_factory=dict)
    message: str = ""

    def to_json(self) -> dict[str, Any]:
        return {
            "field": self.field,
            "code": self.code,
            "message": self.message or text(self.code, **self.params),
            "params": self.params,
        }


class DomainError(Exception):
    """A refusal with a stable ``code``, words for people and an HTTP status."""

    status = 400
    code = "bad_request"

    def __init__(
        self, code: str = "", *, extras: dict[str, Any] | None = None, **params: Any
    ) -> None:
        self.code = code or self.code
        self.params = params
        self.extras = extras or {}
        super().__init__(self.detail)

    @property
    def detail(self) -> str:
        return text(self.code, **self.params)


class Invalid(DomainError):
    """The input has errors; each is named."""

    status = 400
    code = "invalid"

    def __init__(self, errors: list[FieldError]) -> None:
        self.errors = errors
        super().__init__(count=len(errors))

    @property
    def detail(self) -> str:
        if len(self.errors) == 1:
            only = self.errors[0].to_json()
            return f"{only['field']}: {only['message']}" if only["field"] else only["message"]
        return super().detail


class Forbidden(DomainError):
    status = 403
    code = "permission_denied"


class NotFound(DomainError):
    status = 404
    code = "not_found"


class Conflict(DomainError):
    """The world moved on: stale lease, wrong state, taken by somebody else."""

    status = 409
    code = "conflict"


class EditConflict(DomainError):
    status = 412
    code = "edit_conflict"


class Unavailable(DomainError):
    """A part that we need does not answer; ``retry_after_s`` says when to try again."""

    status = 503
    code = "recognizer_unavailable"

    def __init__(self, code: str = "", *, retry_after_s: float = 2.0, **params: Any) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(code, **params)
