"""The examples of docs/integration.md, run as they stand there."""

from __future__ import annotations

import base64
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.files.uploadedfile import SimpleUploadedFile

from annotator.accounts.models import Project
from tests import factories
from tests.conveyor import Conveyor, add_sku, thumbnail_machine, work
from tests.factories import picture_bytes
from tests.recognizers import ThumbnailRecognizer

pytestmark = pytest.mark.django_db(transaction=True)

GUIDE = Path(django_settings.BASE_DIR) / "docs" / "integration.md"
FILES = {"photo.jpg": picture_bytes(1, size=(330, 250)), "broken.jpg": b"no picture"}


def examples() -> list[tuple[list[str], Any]]:
    """Each command of the guide, in words, with the answer that stands after it, if any."""
    blocks = re.findall(r"^```(\w*)\n(.*?)^```", GUIDE.read_text("utf-8"), re.M | re.S)
    found: list[tuple[list[str], Any]] = []
    for kind, text in blocks:
        if kind == "sh" and "curl" in text:
            encoded = base64.b64encode(FILES["photo.jpg"]).decode()
            text = text.replace("$(base64 -w0 photo.jpg)", encoded).replace("$WV", "")
            found.append((shlex.split(text.replace("\\\n", " ")), None))
        elif kind == "json":
            found[-1] = (found[-1][0], json.loads(text))
    return found


@pytest.fixture
def machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    yield from thumbnail_machine(settings)


@pytest.fixture
def line(machine: ThumbnailRecognizer) -> Conveyor:
    project: Project = factories.ProjectFactory()
    add_sku(project.site, "A-1", picture_bytes(1), spec="1L", category="饮料/茶")
    work()
    return Conveyor(project.site)


def run(line: Conveyor, words: list[str]) -> Any:
    """What curl would be answered."""
    assert words[0] == "curl"
    url, headers, form, body = words[1], dict(line.headers), {}, None
    for option, value in zip(words[2::2], words[3::2], strict=True):
        if option == "-H":
            name, _, content = value.partition(": ")
            headers[name] = content.replace("Token $TOKEN", line.headers["Authorization"])
        elif option == "-F":
            name, _, content = value.partition("=")
            if content.startswith("@"):
                file = SimpleUploadedFile(content[1:], FILES[content[1:]])
                form.setdefault(name, []).append(file)
            else:
                form[name] = content
        else:
            assert option == "-d"
            body = value
    if body is not None:
        kind = headers.pop("Content-Type")
        return line.client.post(url, body, content_type=kind, headers=headers)
    return line.client.post(url, form, headers=headers)


def assert_told(told: Any, answered: Any, place: str = "") -> None:
    """Every key that the guide tells is in the answer, at its place."""
    if isinstance(told, dict):
        assert isinstance(answered, dict) and told.keys() <= answered.keys(), place
        for key in told:
            assert_told(told[key], answered[key], f"{place}.{key}")
    elif isinstance(told, list):
        assert isinstance(answered, list) and len(answered) >= len(told), place
        for n, one in enumerate(told):
            assert_told(one, answered[n], f"{place}.{n}")


def test_there_are_examples_of_every_address() -> None:
    addresses = {words[1].partition("?")[0] for words, _ in examples()}
    assert addresses == {"/v1/recognize", "/v1/similar"} and len(examples()) == 6


@pytest.mark.parametrize("place", range(6))
def test_the_examples_are_answered_as_they_say(line: Conveyor, place: int) -> None:
    words, told = examples()[place]
    answer = run(line, words)
    assert answer.status_code == 200, answer.content
    if told is not None:
        assert_told(told, answer.json())
        for name in ("result", "sku_id"):
            if name in told:
                values = (told[name], answer.json()[name])
                known, said = (v if isinstance(v, dict) else {"sku": v} for v in values)
                assert {k: v for k, v in said.items() if k != "confidence"} == {
                    k: v for k, v in known.items() if k != "confidence"
                }
