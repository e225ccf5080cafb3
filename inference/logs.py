"""One request id from the browser to the model, and log lines that machines can read.

The web process, its workers, the inference server and its model processes all keep the id of the
request that they work for in :data:`REQUEST_ID`; HTTP carries it in ``X-Request-ID``. Only the standard
library is used.
"""

from __future__ import annotations

import json
import logging
import re
import sys
import uuid
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime

REQUEST_ID: ContextVar[str] = ContextVar("request_id", default="")
"""The request on whose behalf this thread or task works; empty when there is none."""
HEADER = "X-Request-ID"
_ACCEPTED = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def new_request_id() -> str:
    """A fresh id."""
    return uuid.uuid4().hex


def accepted(value: str | None) -> str:
    """The id that a caller sent, or a fresh one where it sent none that is fit for a log."""
    return value if value and _ACCEPTED.fullmatch(value) else new_request_id()


@contextmanager
def bound(request_id: str) -> Iterator[None]:
    """Work for ``request_id`` inside the block."""
    token = REQUEST_ID.set(request_id)
    try:
        yield
    finally:
        REQUEST_ID.reset(token)


def shared(request_ids: Iterable[str]) -> str:
    """The id for work that is done for several requests at once: theirs when it is the same one,
    else a fresh one, whose log line names them all."""
    known = sorted({i for i in request_ids if i})
    if not known:
        return new_request_id()
    if len(known) == 1:
        return known[0]
    fresh = new_request_id()
    logging.getLogger(__name__).info("%s works for %s", fresh, ", ".join(known))
    return fresh


class RequestIdFilter(logging.Filter):
    """Gives every record that passes a ``request_id``."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = REQUEST_ID.get() or "-"
        return True


class JsonLines(logging.Formatter):
    """One JSON object a record: ``at``, ``level``, ``logger``, ``request_id``, ``message``, what the
    caller passed as ``extra={"data": {…}}``, and the traceback where there is one."""

    def format(self, record: logging.LogRecord) -> str:
        line = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "process": record.process,
            "request_id": getattr(record, "request_id", None) or REQUEST_ID.get() or "-",
            "message": record.getMessage(),
            **getattr(record, "data", {}),
        }
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False, default=str)


def to_stderr(level: str) -> None:
    """Let this process log JSON lines to its standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(level=level, handlers=[handler], force=True)
    for chatty in ("faiss", "httpx", "uvicorn.access"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
