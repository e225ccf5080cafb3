"""One machine, everything embedded: what ``make run`` uses.

Safe as it stands: DEBUG is off unless asked for, the secret key is made on the first start and
kept in HOME, and only loopback addresses are served.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from .base import *  # noqa: F403
from .base import HOME
from .env import env

DEBUG = env.debug


def _kept_secret(path: Path) -> str:
    """The secret in ``path``, made on first use; two processes starting at once agree on it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    if not path.exists():
        partial.write_text(secrets.token_urlsafe(64))
        partial.chmod(0o600)
        try:
            os.link(partial, path)
        except FileExistsError:
            pass
        partial.unlink()
    return path.read_text().strip()


SECRET_KEY = env.secret_key or _kept_secret(HOME / "secret_key")
