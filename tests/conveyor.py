"""A site whose line asks the machine: what the tests about recognition share."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile

from annotator.accounts.models import Site
from annotator.accounts.services import create_token
from annotator.accounts.states import Role
from annotator.catalog import services as catalog
from annotator.core import outbox
from annotator.suggestions import recognizer
from tests import factories
from tests.conftest import Api
from tests.recognizers import ThumbnailRecognizer


def thumbnail_machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    """The recognizer of this process is one for tests of rules, until the generator ends."""
    settings.RECOGNIZER = "tests.recognizers.ThumbnailRecognizer"
    settings.RECOGNIZER_OPTIONS = {"sites_dir": settings.SITES_DIR}
    recognizer.forget_recognizer()
    made = recognizer.get_recognizer()
    assert isinstance(made, ThumbnailRecognizer)
    yield made
    recognizer.forget_recognizer()


def work() -> int:
    """Do everything that is due."""
    done = 0
    while handled := sum(outbox.drain(queue) for queue in ("urgent", "normal")):
        done += handled
    return done


def add_sku(site: Site, code: str, *pictures: bytes, **fields: Any) -> Any:
    actor = factories.member(site, Role.ADMIN)
    sku = catalog.save_sku(site=site, changes={"code": code, "name": code, **fields}, actor=actor)
    for data in pictures:
        catalog.add_picture(sku=sku, data=data)
    return sku


class Conveyor:
    """A line that calls the machine API with its site's token."""

    def __init__(self, site: Site) -> None:
        self.site = site
        _, secret = create_token(site=site, name="line")
        self.headers = {"Authorization": f"Token {secret}", "Accept-Language": "en"}
        self.client = Api().client

    def json(self, body: Any, query: str = "", path: str = "recognize", **headers: str) -> Any:
        return self.client.post(
            f"/v1/{path}{query}",
            body if isinstance(body, bytes) else json.dumps(body),
            content_type="application/json",
            headers={**self.headers, **headers},
        )

    def multipart(self, data: bytes, query: str = "", **headers: str) -> Any:
        return self.form({"image": SimpleUploadedFile("a.jpg", data)}, query, **headers)

    def form(self, form: Any, query: str = "", path: str = "recognize", **headers: str) -> Any:
        return self.client.post(f"/v1/{path}{query}", form, headers={**self.headers, **headers})
