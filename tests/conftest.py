"""What all tests share."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from hypothesis import HealthCheck, settings

# Playwright keeps an event loop in the test's thread; Django would take that for async code.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Slow machines are no reason to fail; in CI the same examples run every time.
settings.register_profile(
    "warevision",
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    derandomize=bool(os.environ.get("CI")),
)
settings.load_profile("warevision")

GROCERY = Path(
    os.environ.get("WAREVISION_GROCERY", Path(__file__).parents[2] / "shared" / "data" / "grocery")
)


@pytest.fixture(scope="session")
def grocery() -> Path:
    """The real photos, where they are."""
    if not (GROCERY / "annotations").is_dir():
        pytest.skip(f"SKIPPED: no real photos at {GROCERY}; set WAREVISION_GROCERY")
    return GROCERY


class Api:
    """A signed-in browser: JSON in and out, CSRF checked."""

    def __init__(self, user: Any = None) -> None:
        self.client = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
        if user is not None:
            self.client.force_login(user)
        self.client.get("/api/v1/session")

    def __call__(self, method: str, path: str, data: Any = None, **headers: str) -> Any:
        csrf = self.client.cookies.get("csrftoken")
        extra = {"X-CSRFToken": csrf.value} if csrf else {}
        extra |= {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.generic(
            method,
            path if path.startswith("/v1") else f"/api/v1{path}",
            b"" if data is None else json.dumps(data).encode(),
            content_type="application/json",
            headers=extra,
        )

    def get(self, path: str, **headers: str) -> Any:
        return self("GET", path, **headers)

    def post(self, path: str, data: Any = None, **headers: str) -> Any:
        return self("POST", path, {} if data is None else data, **headers)

    def put(self, path: str, data: Any = None, **headers: str) -> Any:
        return self("PUT", path, data, **headers)

    def patch(self, path: str, data: Any = None, **headers: str) -> Any:
        return self("PATCH", path, data, **headers)

    def delete(self, path: str, **headers: str) -> Any:
        return self("DELETE", path, **headers)

    def upload(self, path: str, **data: Any) -> Any:
        csrf = self.client.cookies["csrftoken"].value
        return self.client.post(f"/api/v1{path}", data, headers={"X-CSRFToken": csrf})


@pytest.fixture
def api() -> type[Api]:
    return Api


@pytest.fixture(autouse=True)
def _no_base(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What a test says of models hangs on those that it makes, not on the one that is shipped."""
    from inference import bundles

    monkeypatch.setattr(bundles, "SHIPPED", tmp_path / "no-base")


@pytest.fixture(autouse=True)
def _media_folder(settings: Any, tmp_path: Path) -> None:
    """Each test keeps its files to itself."""
    from django.core.files.storage import default_storage, storages
    from django.utils.functional import empty

    settings.HOME = tmp_path
    settings.SITES_DIR = tmp_path / "sites"
    settings.MODELS_DIR = tmp_path / "models"
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {
            "BACKEND": "annotator.media.storage.DurableFileSystemStorage",
            "OPTIONS": {"location": str(tmp_path / "media")},
        },
    }
    storages._storages.clear()
    default_storage._wrapped = empty


@pytest.fixture(autouse=True)
def _audit_log_gives_way_to_flushing(request: pytest.FixtureRequest) -> Iterator[None]:
    """Tests with real transactions end by emptying every table, which the audit log's triggers
    would refuse on SQLite: they go before that, and come back for the next test."""
    marker = request.node.get_closest_marker("django_db")
    if marker is None or not marker.kwargs.get("transaction"):
        yield
        return
    request.getfixturevalue("transactional_db")
    from django.db import connection

    from annotator.core import append_only

    append_only.put_back(connection)
    yield
    if connection.vendor == "sqlite":  # PostgreSQL's TRUNCATE fires no row triggers
        append_only.remove(connection)
