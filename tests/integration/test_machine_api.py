"""What machines are answered: lines and WMS, good calls and bad ones."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from PIL import Image

from annotator.accounts.models import Project, Site
from annotator.accounts.services import create_token
from annotator.accounts.states import Role
from annotator.captures.models import Capture
from annotator.core import outbox
from annotator.core.models import AuditEntry
from annotator.suggestions import answers, recognizer
from annotator.suggestions.models import Evidence, MachineAnswer
from annotator.suggestions.tasks import forget_old_answers
from inference.contracts import Failure
from tests import factories
from tests.conftest import Api
from tests.conveyor import Conveyor, add_sku, thumbnail_machine, work
from tests.factories import picture_bytes
from tests.recognizers import ThumbnailRecognizer

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    yield from thumbnail_machine(settings)


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


@pytest.fixture
def conveyor(machine: ThumbnailRecognizer, project: Project) -> Conveyor:
    add_sku(project.site, "A-1", picture_bytes(1), spec="1L", category="饮料/茶")
    add_sku(project.site, "A-2", picture_bytes(2), barcode="6901234567892")
    work()
    return Conveyor(project.site)


def base64_of(data: bytes) -> str:
    return base64.b64encode(data).decode()


def twin(seed: int = 1) -> bytes:
    """A picture like the reference picture of that seed."""
    return picture_bytes(seed, size=(330, 250))


# --- good calls -------------------------------------------------------------------------------


def test_recognizing_by_multipart_and_by_json(conveyor: Conveyor) -> None:
    data = twin()
    text = base64_of(data)
    answered = [
        conveyor.multipart(data, **{"X-Request-ID": "line-7"}),
        conveyor.json({"image_base64": text, "sensor_data": {"weight_kg": 1}}),
        conveyor.json({"image_base64": f"data:image/jpeg;base64,{text}"}),
    ]
    for answer in answered:
        assert answer.status_code == 200, answer.content
        body = answer.json()
        assert set(body) == {
            *("request_id", "timestamp", "model_version", "site_number", "learned_number"),
            *("answer_id", "result", "candidates", "evidence", "timings_ms"),
        }
        result = body["result"]
        assert (result["sku"], result["category"], result["spec"]) == ("A-1", "茶", "1L")
        assert result["caption"] == "【SKU】A-1|【品类】茶|【规格】1L"
        assert 0.9 < result["confidence"] <= 1
        assert body["candidates"][0]["sku_code"] == "A-1"
        assert body["evidence"]["barcodes"][0]["sku_code"] == "A-2"
        assert body["evidence"]["missing"] == {"keypoints": "not asked for"}
        assert body["timings_ms"]["total"] > 0
        assert (body["model_version"], body["site_number"]) == ("thumbnail-1", 4)
    assert answered[0].json()["request_id"] == "line-7"
    assert answered[1].json()["request_id"] != answered[2].json()["request_id"]
    assert not Capture.objects.exists()


def test_the_short_form_for_the_wms(conveyor: Conveyor) -> None:
    answer = conveyor.multipart(twin(), "?view=wms").json()
    assert set(answer) == {"sku_id", "category", "confidence"}
    assert (answer["sku_id"], answer["category"]) == ("A-1", "茶")


def test_a_batch_answers_each_picture_or_says_what_is_wrong_with_it(conveyor: Conveyor) -> None:
    good = {"image_base64": base64_of(twin(1)), "sensor_data": {"weight_kg": 2}}
    bad = {"image_base64": base64_of(b"no picture")}
    batch = [good, bad, {"image_base64": 7}, None, {"image_base64": base64_of(twin(2))}]
    body = conveyor.json({"images": batch, "context_metadata": {"line": 3}}).json()
    assert set(body) == {"request_id", "timestamp", "results"}
    first, *wrong, last = body["results"]
    assert (first["result"]["sku"], last["result"]["sku"]) == ("A-1", "A-2")
    told = [
        (p["problem"]["status"], [(e["field"], e["code"]) for e in p["problem"]["errors"]])
        for p in wrong
    ]
    assert told == [
        (400, [("images.1", "not_a_picture")]),
        (400, [("images.2.image", "required")]),
        (400, [("images.3", "required")]),
    ]
    kept = MachineAnswer.objects.get(pk=first["answer_id"])
    assert (kept.sensor_data, kept.context_metadata) == ({"weight_kg": 2}, {"line": 3})
    assert kept.place == 0 and MachineAnswer.objects.get(pk=last["answer_id"]).place == 4

    # As files, in the short form, and as many as there may be.
    files = [SimpleUploadedFile(f"{n}.jpg", twin(1 + n % 2)) for n in range(32)]
    answer = conveyor.form({"images": files}, "?view=wms")
    assert [one["sku_id"] for one in answer.json()["results"]] == ["A-1", "A-2"] * 16


def test_urgent_calls_are_urgent(
    conveyor: Conveyor, machine: ThumbnailRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[bool] = []
    described = machine.describe

    def describe(images: Any, *, urgent: bool = False, model: str = "") -> Any:
        seen.append(urgent)
        return described(images)

    monkeypatch.setattr(machine, "describe", describe)
    for headers in ({}, {"X-Priority": "urgent"}, {"X-Priority": "normal"}):
        assert conveyor.multipart(twin(), **headers).status_code == 200
    assert seen == [False, True, False]


def test_what_is_similar(conveyor: Conveyor) -> None:
    data = twin(2)
    for answer in (
        conveyor.json({"image_base64": base64_of(data), "count": 2}, path="similar"),
        conveyor.form({"image": SimpleUploadedFile("a.jpg", data), "count": "2"}, path="similar"),
    ):
        assert answer.status_code == 200, answer.content
        nearest, other = answer.json()["hits"]
        assert (nearest["sku_code"], other["sku_code"]) == ("A-2", "A-1")
        assert nearest["score"] > other["score"] and nearest["by"] == ["picture"]
        assert (nearest["kind"], nearest["capture"]) == ("reference", None)
        assert nearest["picture"].endswith("/thumb") and other["category"] == "茶"
        assert answer.json()["site_number"] == 4
    found = conveyor.json({"text": "A-1"}, path="similar").json()["hits"]
    assert [(hit["sku_code"], hit["kind"], hit["spec"]) for hit in found] == [("A-1", "sku", "1L")]


# --- bad calls --------------------------------------------------------------------------------


def huge_png() -> bytes:
    """A few hundred bytes that say they are 60,000 by 60,000 pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    head = struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")


def tiny_png() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (1, 1)).save(out, "PNG")
    return out.getvalue()


def deep(levels: int) -> bytes:
    return b'{"sensor_data": ' + b"[" * levels + b"]" * levels + b"}"


GOOD = {"image_base64": base64_of(picture_bytes(1))}
Call = Callable[[Conveyor], Any]


def _json(body: Any, **headers: str) -> Call:
    return lambda line: line.json(body, **headers)


def _picture(data: bytes) -> Call:
    return _json({"image_base64": base64_of(data)})


def _told(value: Any) -> Call:
    return _json({**GOOD, "sensor_data": value})


def _raw(body: bytes, content_type: str) -> Call:
    return lambda line: line.client.post(
        "/v1/recognize", body, content_type=content_type, headers=line.headers
    )


def _files(count: int, name: str = "images", data: bytes = b"x") -> Call:
    return lambda line: line.form(
        {name: [SimpleUploadedFile(f"{n}.jpg", data) for n in range(count)]}
    )


def _as(**headers: str) -> Call:
    """With another token, or none."""
    return lambda line: line.client.post(
        "/v1/recognize", GOOD, content_type="application/json", headers=headers
    )


def _foreign(line: Conveyor) -> Any:
    """With the token of another site, asking for this one."""
    stranger = Conveyor(factories.SiteFactory())
    return stranger.json(GOOD, f"?site={line.site.pk}")


def _method(method: str) -> Call:
    return lambda line: line.client.generic(method, "/v1/recognize", headers=line.headers)


FORM = "multipart/form-data; boundary=b"
BAD: dict[str, tuple[Call, int, str]] = {
    # name: (call, status, code of the problem or of its first error)
    "nothing": (_json({}), 400, "required"),
    "a list": (_json([]), 400, "required"),
    "null": (_json(None), 400, "required"),
    "a number for base64": (_json({"image_base64": 7}), 400, "required"),
    "a list for base64": (_json({"image_base64": ["x"]}), 400, "required"),
    "no base64": (_json({"image_base64": "not base64!"}), 400, "bad_record"),
    "cut base64": (_json({"image_base64": "abc"}), 400, "bad_record"),
    "Chinese for base64": (_json({"image_base64": "图片"}), 400, "bad_record"),
    "no bytes": (_json({"image_base64": "data:image/png;base64,"}), 400, "bad_record"),
    "no picture": (_picture(b"no picture"), 400, "not_a_picture"),
    "html": (_picture(b"<html><script>1</script></html>"), 400, "not_a_picture"),
    "a cut JPEG": (_picture(picture_bytes(1)[:900]), 400, "corrupt_picture"),
    "a huge picture": (_picture(huge_png()), 400, "picture_too_large"),
    "a tiny picture": (_picture(tiny_png()), 400, "picture_too_small"),
    "an empty file": (_files(1, "image", b""), 400, "empty_file"),
    "a bad file": (_files(1, "image", b"no picture"), 400, "not_a_picture"),
    "two files as one": (_files(2, "image"), 400, "one_picture"),
    "33 files": (_files(33), 400, "too_many_files"),
    "60 files": (_files(60), 413, "too_many_files"),
    "33 in JSON": (_json({"images": [GOOD] * 33}), 400, "too_many_files"),
    "no pictures": (_json({"images": []}), 400, "required"),
    "pictures that are text": (_json({"images": "x"}), 400, "required"),
    "sensors that are text": (_told("warm"), 400, "bad_object"),
    "sensors that are a list": (_told([1]), 400, "bad_object"),
    "sensors with NUL": (_told({"a": "\0"}), 400, "bad_object"),
    "sensors with half a character": (_told({"a": "\ud800"}), 400, "bad_object"),
    "too much of sensors": (_told({"a": "x" * 20_000}), 400, "bad_object"),
    "sensors too deep": (_json(deep(50)), 400, "required"),
    "deeper than can be read": (_json(deep(200_000)), 400, "bad_request"),
    "broken JSON": (_json(b"{broken"), 400, "bad_request"),
    "not a number": (_json(b'{"sensor_data": {"a": NaN}}'), 400, "bad_request"),
    "not UTF-8": (_json(b'{"a": "\xff"}'), 400, "bad_request"),
    "empty body": (_json(b""), 400, "required"),
    "a picture as the body": (_raw(picture_bytes(1), "image/jpeg"), 415, "bad_request"),
    "XML": (_raw(b"<a/>", "application/xml"), 415, "bad_request"),
    "a form": (_raw(b"a=b", "application/x-www-form-urlencoded"), 415, "bad_request"),
    "a form without boundary": (_raw(b"x", "multipart/form-data"), 400, "bad_request"),
    "a broken form": (_raw(b"--b\r\nrubbish", FORM), 400, "required"),
    "a bad priority": (_json(GOOD, **{"X-Priority": "now"}), 400, "bad_priority"),
    "a bad view": (lambda line: line.json(GOOD, "?view=other"), 400, "invalid_choice"),
    "a bad site": (lambda line: line.json(GOOD, "?site=x"), 400, "invalid"),
    "no token": (_as(), 401, "not_authenticated"),
    "a wrong token": (_as(Authorization="Token wv_wrong"), 401, "not_authenticated"),
    "an odd token": (_as(Authorization="Token"), 401, "not_authenticated"),
    "another site's token": (_foreign, 404, "not_found"),
    "GET": (_method("GET"), 405, "method_not_allowed"),
    "PUT": (_method("PUT"), 405, "method_not_allowed"),
    "DELETE": (_method("DELETE"), 405, "method_not_allowed"),
    "an address that is none": (lambda line: line.json(GOOD, path="recognise"), 404, "not_found"),
    "nothing similar to": (lambda line: line.json({}, path="similar"), 400, "required"),
    "similar to a list": (lambda line: line.json([], path="similar"), 400, "required"),
    "similar to a NUL": (
        lambda line: line.json({"text": "\0"}, path="similar"),
        400,
        "null_characters_not_allowed",
    ),
    "too many similar": (
        lambda line: line.json({"text": "a", "count": 5000}, path="similar"),
        400,
        "max_value",
    ),
    "similar to no picture": (
        lambda line: line.json({"image_base64": base64_of(b"x")}, path="similar"),
        400,
        "not_a_picture",
    ),
}


@pytest.mark.parametrize("name", BAD)
def test_what_is_bad_is_named(conveyor: Conveyor, name: str) -> None:
    call, status, code = BAD[name]
    answer = call(conveyor)
    assert answer.status_code == status, answer.content
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["status"], body["type"]) == (status, f"about:blank#{body['code']}")
    assert body["title"] and body["detail"]
    assert code in [body["code"], *(error["code"] for error in body.get("errors", ()))]
    text = answer.content.decode()
    assert "Traceback" not in text and "<html" not in text and ".py" not in text
    assert not MachineAnswer.objects.exists()


def test_a_body_that_is_too_long_is_not_read(conveyor: Conveyor, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1000
    answer = conveyor.json({"image_base64": "x" * 2000})
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
    answer = conveyor.multipart(b"x" * 2000)
    assert answer.json()["errors"][0]["code"] == "file_too_large"


def test_an_error_of_ours_tells_nothing_of_itself(
    conveyor: Conveyor, machine: ThumbnailRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "describe", lambda *args, **more: 1 / 0)
    client = Client(raise_request_exception=False)
    answer = client.post("/v1/recognize", GOOD, "application/json", headers=conveyor.headers)
    assert (answer.status_code, answer["Content-Type"]) == (500, "application/problem+json")
    assert answer.json()["code"] == "server_error" and "Zero" not in answer.content.decode()


def test_a_recognizer_that_does_not_answer_is_tried_later(
    conveyor: Conveyor, machine: ThumbnailRecognizer
) -> None:
    machine.down = True
    for answer in (
        conveyor.multipart(picture_bytes(1)),
        conveyor.json({"images": [GOOD]}),
        conveyor.json(GOOD, path="similar"),
    ):
        assert (answer.status_code, answer["Retry-After"]) == (503, "3")
        assert answer["Content-Type"] == "application/problem+json"
        assert answer.json()["code"] == "recognizer_busy"


def test_a_picture_that_the_model_gave_up_is_not_called_bad(
    conveyor: Conveyor, machine: ThumbnailRecognizer, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = machine.describe

    def describe(images: Any, *, urgent: bool = False, model: str = "") -> Any:
        return [Failure("internal", "4 calls ended like this"), *described(images[1:])]

    monkeypatch.setattr(machine, "describe", describe)
    answer = conveyor.json(GOOD)
    assert (answer.status_code, answer["Retry-After"]) == (503, "60")
    given_up, good = conveyor.json({"images": [GOOD, GOOD]}).json()["results"]
    assert (given_up["problem"]["status"], "errors" in given_up["problem"]) == (503, False)
    assert good["result"]["sku"] == "A-1"


def test_without_any_recognizer_the_answer_is_503(settings: Any, project: Project) -> None:
    settings.RECOGNIZER = "inference.client.HttpRecognizer"
    settings.RECOGNIZER_OPTIONS = {"base_url": "http://127.0.0.1:9"}
    recognizer.forget_recognizer()
    try:
        answer = Conveyor(project.site).multipart(picture_bytes(1))
    finally:
        recognizer.forget_recognizer()
    assert answer.status_code == 503, answer.content
    assert int(answer["Retry-After"]) >= 1


# --- keeping ----------------------------------------------------------------------------------


def keep(site: Site, keep_answers: str, **more: Any) -> Any:
    admin = Api(factories.member(site, Role.ADMIN))
    return admin.patch(f"/sites/{site.pk}/settings", {"keep_answers": keep_answers, **more})


def test_kept_answers_are_listed_page_by_page(conveyor: Conveyor) -> None:
    site = conveyor.site
    admin, path = Api(factories.member(site, Role.ADMIN)), f"/sites/{site.pk}/answers"
    assert admin.get(path).json()["results"] == []
    first = conveyor.json({"image_base64": base64_of(twin()), "sensor_data": {"kg": 1}}).json()
    keep(site, "pictures")
    second = conveyor.multipart(twin(), **{"X-Request-ID": "r-2"}).json()
    page = admin.get(f"{path}?page_size=1").json()
    (row,) = page["results"]
    assert (row["id"], row["request_id"], row["sku"]) == (second["answer_id"], "r-2", "A-1")
    assert row["picture"] and row["none"] == second["evidence"]["none"]
    rest = admin.client.get(page["next"]).json()["results"]
    assert [one["id"] for one in rest] == [first["answer_id"]] and rest[0]["picture"] is None
    found = admin.get(f"{path}?request_id=r-2").json()["results"]
    assert [one["id"] for one in found] == [second["answer_id"]]
    whole = admin.get(f"{path}/{first['answer_id']}").json()
    assert whole["sensor_data"] == {"kg": 1} and whole["candidates"] == first["candidates"]
    assert whole["ocr_lines"] == first["evidence"]["ocr_lines"]
    other = Api(factories.member(factories.SiteFactory(), Role.ADMIN))
    assert other.get(f"{path}/{first['answer_id']}").status_code == 404


def test_an_answer_of_a_version_that_is_gone_is_not_made_again(conveyor: Conveyor) -> None:
    body = conveyor.json({"image_base64": base64_of(twin())}).json()
    admin = Api(factories.member(conveyor.site, Role.ADMIN))
    answer = f"/sites/{conveyor.site.pk}/answers/{body['answer_id']}"
    asked = admin.post(f"{answer}/replay").json()["job"]
    outbox.drain("bulk")
    job = admin.get(f"/jobs/{asked}").json()
    assert (job["state"], job["error"]["code"]) == ("failed", "cannot_replay")
    assert "not as thumbnail-1" in job["error"]["detail"]


def test_answers_are_kept_as_the_site_wishes(conveyor: Conveyor) -> None:
    told = {"sensor_data": {"weight_kg": 1.5}, "context_metadata": {"order": "W-7", "称": [1]}}
    body = conveyor.json(
        {"image_base64": base64_of(twin()), **told}, **{"X-Request-ID": "r-1"}
    ).json()
    kept = MachineAnswer.objects.select_related("evidence").get(pk=body["answer_id"])
    assert (kept.sensor_data, kept.context_metadata) == tuple(told.values())
    assert (kept.request_id, kept.site, kept.image) == ("r-1", conveyor.site, None)
    assert kept.caller is not None and kept.caller.is_service
    assert kept.recognition["fields"]["sku"]["value"] == "A-1"
    assert answers.description_of(kept.evidence).ocr_lines[0].text == "清澜"
    # In a form the same is text.
    form = {"image": SimpleUploadedFile("a", twin()), **{k: json.dumps(v) for k, v in told.items()}}
    again = MachineAnswer.objects.get(pk=conveyor.form(form).json()["answer_id"])
    assert (again.sensor_data, again.context_metadata) == tuple(told.values())
    assert again.evidence == kept.evidence, "the same picture is kept once"

    assert keep(conveyor.site, "pictures").json() == {"keep_answers": "pictures", "keep_days": 30}
    with_picture = MachineAnswer.objects.get(pk=conveyor.multipart(twin()).json()["answer_id"])
    assert with_picture.image is not None and with_picture.image.site == conveyor.site

    assert keep(conveyor.site, "nothing").status_code == 200
    assert conveyor.multipart(twin()).json()["answer_id"] is None
    assert MachineAnswer.objects.count() == 3


def test_what_a_site_keeps_is_its_admins_to_say_and_written_down(conveyor: Conveyor) -> None:
    site = conveyor.site
    assert keep(site, "nothing").status_code == 200
    assert keep(site, "nothing", keep_days=7).json()["keep_days"] == 7
    entries = AuditEntry.objects.filter(action="site.changed", site_id=site.pk).order_by("pk")
    assert [entry.data for entry in entries] == [{"keep_answers": "nothing"}, {"keep_days": 7}]
    assert keep(site, "everything").json()["errors"][0]["field"] == "keep_answers"
    assert keep(site, "nothing", keep_days=-1).status_code == 400
    reviewer = Api(factories.member(site, Role.REVIEWER))
    assert reviewer.get(f"/sites/{site.pk}/settings").status_code == 403
    stranger = Api(factories.member(factories.SiteFactory(), Role.ADMIN))
    assert stranger.get(f"/sites/{site.pk}/settings").status_code == 404


def test_old_answers_are_forgotten_with_their_evidence(conveyor: Conveyor) -> None:
    with time_machine.travel(timezone.now() - timedelta(days=31), tick=False):
        old = conveyor.multipart(twin(1)).json()["answer_id"]
        conveyor.multipart(twin(2))
    new = conveyor.multipart(twin(2)).json()["answer_id"]
    assert (MachineAnswer.objects.count(), Evidence.objects.count()) == (3, 2)
    assert forget_old_answers() == 2
    assert MachineAnswer.objects.get().pk == new and new != old
    assert Evidence.objects.count() == 1
    Site.objects.update(keep_days=0)
    with time_machine.travel(timezone.now() + timedelta(days=4000), tick=False):
        assert forget_old_answers() == 0


def test_a_token_of_one_site_knows_nothing_of_another(conveyor: Conveyor) -> None:
    other = Conveyor(factories.SiteFactory())
    add_sku(other.site, "B-1", picture_bytes(1))
    work()
    assert conveyor.multipart(twin()).json()["result"]["sku"] == "A-1"
    assert other.multipart(twin()).json()["result"]["sku"] == "B-1"
    hits = other.json({"image_base64": base64_of(twin())}, path="similar").json()["hits"]
    assert {hit["sku_code"] for hit in hits} == {"B-1"}
    _, person = create_token(
        site=conveyor.site, name="p", user=factories.member(conveyor.site, Role.ANNOTATOR)
    )
    conveyor.headers["Authorization"] = f"Token {person}"
    assert conveyor.multipart(twin()).status_code == 403
