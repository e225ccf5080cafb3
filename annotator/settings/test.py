"""Tests: fast hashing, a throw-away HOME, doorbells that ring nowhere."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

_HOME = Path(os.environ.get("WAREVISION_TEST_HOME") or tempfile.mkdtemp(prefix="warevision-test-"))
os.environ["WAREVISION_HOME"] = str(_HOME)

from .base import *  # noqa: E402, F403
from .base import SQLITE_OPTIONS, database  # noqa: E402
from .env import env  # noqa: E402

SECRET_KEY = "only-for-tests-" + "x" * 50
PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
DATABASES = {"default": database(env.database_url)}
if "sqlite" in DATABASES["default"]["ENGINE"]:
    # A file, not memory: threads of the concurrency tests must see one database.
    DATABASES["default"]["TEST"] = {"NAME": str(_HOME / "test.sqlite3")}
    DATABASES["default"]["OPTIONS"] = {
        **SQLITE_OPTIONS,
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=OFF; PRAGMA foreign_keys=ON;",
    }
STATIC_ROOT = _HOME / "static"
STATIC_ROOT.mkdir(exist_ok=True)
OUTBOX_RING = False
REST_FRAMEWORK = {**REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": {"sign_in": None}}  # noqa: F405
