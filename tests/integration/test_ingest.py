"""Taking photos in: each file has its own fate, and nothing is dropped silently."""

from __future__ import annotations

import functools
import hashlib
import io
import json
import struct
import zlib
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from PIL import Image

from annotator.accounts.models import Project, Site
from annotator.accounts.states import Role
from annotator.captures.models import Capture, Quarantine
from annotator.core.models import AuditEntry, OutboxEvent
from annotator.labeling.models import Task
from annotator.media.models import StoredImage
from annotator.media.queries import image_path
from tests import factories
from tests.conftest import Api
from tests.factories import picture_bytes

pytestmark = pytest.mark.django_db(transaction=True)


def encoded(image: Image.Image, format: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


def decoded(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data))


def recompressed(data: bytes) -> bytes:
    return encoded(decoded(data), "JPEG", quality=35)


def lying_on_its_side() -> bytes:
    """Stored 320 wide and 240 high; its EXIF says to turn it upright. Upright, its top is red."""
    image = Image.new("RGB", (320, 240), "blue")
    image.paste("red", (0, 0, 160, 240))
    exif = Image.Exif()
    exif[0x0112] = 6
    return encoded(image, "JPEG", exif=exif)


def half_transparent() -> bytes:
    image = decoded(picture_bytes(7, format="PNG")).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    image.paste((0, 0, 0, 0), (0, 0, 40, 40))
    return encoded(image, "PNG")


def decompression_bomb(side: int = 30_000) -> bytes:
    """A PNG of 900 megapixels in about 100 kB."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return (
            struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        )

    packer = zlib.compressobj(1)
    row = bytes(1 + (side + 7) // 8)
    pixels = b"".join(packer.compress(row * 1000) for _ in range(side // 1000)) + packer.flush()
    header = struct.pack(">IIBBBBB", side, side, 1, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")
    )


@functools.cache
def mixed_files() -> dict[str, bytes]:
    """Good and bad files in turn; the duplicates come after their originals."""
    jpeg, png = picture_bytes(1, size=(640, 480)), picture_bytes(2, format="PNG")
    return {
        "good.jpg": jpeg,
        "broken.jpg": jpeg[: len(jpeg) // 3],
        "empty.jpg": b"",
        "cam_top/good.png": png,
        "notes.txt": "这不是图片".encode() * 20,
        "truncated.png": png[: len(png) // 2],
        "bomb.png": decompression_bomb(),
        "tiny.png": encoded(Image.new("RGB", (60, 31), "green"), "PNG"),
        "turned_side.jpg": lying_on_its_side(),
        "copy.jpg": jpeg,
        "near.jpg": recompressed(jpeg),
        "transparent.png": half_transparent(),
    }


STATUS = {
    "good.jpg": "created",
    "broken.jpg": "corrupt_picture",
    "empty.jpg": "empty_file",
    "cam_top/good.png": "created",
    "notes.txt": "not_a_picture",
    "truncated.png": "corrupt_picture",
    "bomb.png": "picture_too_large",
    "tiny.png": "picture_too_small",
    "turned_side.jpg": "created",
    "copy.jpg": "existing",
    "near.jpg": "created",
    "transparent.png": "created",
}


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory()


@pytest.fixture
def admin(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ADMIN, language="en"))


def upload(api: Api, files: dict[str, bytes], **data: Any) -> Any:
    sent = [SimpleUploadedFile(name, content) for name, content in files.items()]
    return api.upload("/captures", files=sent, **data)


def fates(results: list[dict[str, Any]]) -> dict[str, str]:
    return {r["name"]: r.get("quarantine", {}).get("code") or r["status"] for r in results}


def test_each_file_of_an_upload_has_its_own_result(admin: Api, project: Project) -> None:
    files = mixed_files()
    answer = upload(admin, files, project=project.pk)
    assert answer.status_code == 200, answer.content
    results = {row["name"]: row for row in answer.json()["results"]}
    # A browser's upload carries names without folders.
    assert fates(answer.json()["results"]) == {Path(n).name: s for n, s in STATUS.items()}
    first = results["good.jpg"]["capture"]
    assert results["copy.jpg"]["capture"] == first
    assert results["near.jpg"]["duplicate_of"] == first
    assert results["good.png"]["duplicate_of"] is None
    assert results["empty.jpg"]["quarantine"]["detail"] == "The file is empty"
    assert "64 megapixels" in results["bomb.png"]["quarantine"]["detail"]
    assert "60×31" in results["tiny.png"]["quarantine"]["detail"]
    near = Capture.objects.get(pk=results["near.jpg"]["capture"])
    assert near.duplicate_distance is not None and near.duplicate_distance <= 4
    # Each good file opened a task and asked the machine; the bad ones did neither.
    created = sum(status == "created" for status in STATUS.values())
    assert Capture.objects.count() == Task.objects.count() == created
    assert OutboxEvent.objects.filter(handler="suggest").count() == created


def test_files_on_disk_are_whole(admin: Api, project: Project) -> None:
    files = mixed_files()
    upload(admin, files, project=project.pk)
    by_hash = {hashlib.sha256(data).hexdigest(): data for data in files.values()}
    for image in StoredImage.objects.all():
        assert default_storage.open(image_path(image, "original")).read() == by_hash[image.sha256]
        for variant in ("display", "thumb"):
            shown = decoded(default_storage.open(image_path(image, variant)).read())
            shown.load()
            assert shown.size == (image.width, image.height) or variant == "thumb"
            assert shown.mode == "RGB"
    root = Path(default_storage.location)
    kept = [path for path in root.rglob("*") if path.is_file()]
    assert len(kept) == 3 * StoredImage.objects.count()
    assert not [path for path in kept if path.suffix == ".partial"]


def test_a_picture_is_turned_upright(admin: Api, project: Project) -> None:
    (row,) = upload(admin, {"turned_side.jpg": lying_on_its_side()}).json()["results"]
    capture = Capture.objects.select_related("image").get(pk=row["capture"])
    assert (capture.image.width, capture.image.height) == (240, 320)
    assert capture.cam_type == "side"
    shown = admin.client.get(f"/api/v1/images/{capture.image_id}/display")
    display = decoded(b"".join(shown.streaming_content)).convert("RGB")
    assert display.size == (240, 320)
    red, green, blue = display.getpixel((120, 20))  # type: ignore[misc]
    assert red > 200 and green < 60 and blue < 60


def test_transparency_is_shown_on_white(admin: Api, project: Project) -> None:
    (row,) = upload(admin, {"transparent.png": half_transparent()}).json()["results"]
    image = StoredImage.objects.get(capture=row["capture"])
    display = decoded(default_storage.open(image_path(image, "display")).read())
    assert min(display.convert("RGB").getpixel((15, 15))) > 245  # type: ignore[arg-type,type-var]


def test_the_quarantine_says_why_in_the_readers_language(admin: Api, project: Project) -> None:
    upload(admin, mixed_files(), project=project.pk)
    bad = {name: code for name, code in STATUS.items() if code not in ("created", "existing")}
    user = project.site.memberships.get(role=Role.ADMIN).user
    seen = {}
    for language in ("en", "zh-hans"):
        user.language = language
        user.save()
        rows = admin.get("/quarantine").json()["results"]
        assert {row["name"]: row["code"] for row in rows} == bad
        seen[language] = {row["name"]: row["detail"] for row in rows}
    assert seen["en"]["empty.jpg"] == "The file is empty"
    assert seen["zh-hans"]["empty.jpg"] == "文件是空的"
    assert seen["zh-hans"]["tiny.png"] == "图片只有 60×31，至少要 32×32"
    assert seen["en"]["tiny.png"] == "The picture is only 60×31; at least 32×32 is needed"
    assert "damaged" in seen["en"]["truncated.png"]
    assert "已损坏" in seen["zh-hans"]["truncated.png"]


def test_the_audit_log_names_who_sent_what(admin: Api, project: Project) -> None:
    upload(admin, mixed_files(), project=project.pk)
    user = project.site.memberships.get(role=Role.ADMIN).user
    entries = AuditEntry.objects.filter(action__startswith="capture.")
    assert {entry.actor_id for entry in entries} == {user.pk}
    assert {entry.site_id for entry in entries} == {project.site_id}
    logged = {entry.data["name"]: entry.action for entry in entries}
    assert logged == {
        Path(name).name: "capture.created" if status == "created" else "capture.quarantined"
        for name, status in STATUS.items()
        if status != "existing"
    }


def test_sending_everything_again_changes_nothing(admin: Api, project: Project) -> None:
    files = mixed_files()

    def world() -> list[int]:
        models = (Capture, StoredImage, Quarantine, Task, AuditEntry, OutboxEvent)
        return [model.objects.count() for model in models]

    upload(admin, files, project=project.pk)
    before = world()
    again = upload(admin, files, project=project.pk).json()["results"]
    expected = {Path(n).name: "existing" if s == "created" else s for n, s in STATUS.items()}
    assert fates(again) == expected
    assert world() == before


def write_files(folder: Path, files: dict[str, bytes]) -> Path:
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    return folder


def ingest(capsys: pytest.CaptureFixture[str], folder: Path, **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    call_command("ingest", str(folder), json=True, **options)
    (line,) = capsys.readouterr().out.splitlines()
    answer: dict[str, Any] = json.loads(line)
    return answer


def test_the_command_takes_a_folder_in(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = write_files(tmp_path / "in", mixed_files())
    said = ingest(capsys, folder)
    assert {key: said[key] for key in ("site", "project", "files", "created", "existing")} == {
        "site": "main",
        "project": "main",
        "files": len(STATUS),
        "created": 5,
        "existing": 1,
    }
    assert (said["quarantined"], said["near_duplicates"]) == (6, 1)
    refused = {row["name"]: row["code"] for row in said["refused"]}
    assert refused == {n: s for n, s in STATUS.items() if s not in ("created", "existing")}
    top = Capture.objects.get(original_name="cam_top/good.png")
    assert top.cam_type == "top"
    assert Task.objects.filter(project__slug="main").count() == 5
    again = ingest(capsys, folder)
    assert (again["created"], again["existing"], again["quarantined"]) == (0, 6, 6)


def test_the_command_takes_a_hidden_folder_but_not_hidden_files(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = {"a.jpg": picture_bytes(1), ".thumbs/x/b.jpg": picture_bytes(2), ".DS_Store": b"x"}
    said = ingest(capsys, write_files(tmp_path / ".incoming", files))
    assert (said["files"], said["created"]) == (1, 1)


def test_a_file_name_that_is_no_text_stops_nobody(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_files(tmp_path / "in", {"good.jpg": picture_bytes(1)})
    odd = bytes(folder) + b"/\xff\xfe.jpg"
    with open(odd, "wb") as file:
        file.write(picture_bytes(2))
    with open(bytes(folder) + b"/\xff.txt", "wb") as file:
        file.write(b"no picture")
    said = ingest(capsys, folder)
    assert (said["created"], said["quarantined"]) == (2, 1)


def test_the_command_refuses_what_is_no_folder(tmp_path: Path) -> None:
    with pytest.raises(CommandError, match="no such folder"):
        call_command("ingest", str(tmp_path / "absent"))
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(CommandError, match="ZIP"):
        call_command("ingest", str(tmp_path / "file"))
    assert not Site.objects.exists()


def test_pictures_are_cached_for_good_and_stay_on_their_site(admin: Api, project: Project) -> None:
    (row,) = upload(admin, {"good.jpg": picture_bytes(1)}).json()["results"]
    image = StoredImage.objects.get(capture=row["capture"])
    address = f"/images/{image.pk}/original"
    answer = admin.get(address)
    assert b"".join(answer.streaming_content) == picture_bytes(1)
    assert answer["Content-Type"] == "image/jpeg"
    assert answer["Cache-Control"] == "private, max-age=31536000, immutable"
    assert answer["X-Content-Type-Options"] == "nosniff"
    etag = answer["ETag"]
    unchanged = admin.get(address, If_None_Match=etag)
    assert (unchanged.status_code, unchanged.content, unchanged["ETag"]) == (304, b"", etag)
    assert admin.get(f"/images/{image.pk}/thumb", If_None_Match=etag).status_code == 200
    assert admin.get(f"/images/{image.pk}/../original").status_code == 404
    stranger = Api(factories.member(factories.SiteFactory(), Role.ADMIN))
    for headers in ({}, {"If_None_Match": etag}):
        assert stranger.get(address, **headers).status_code == 404
    assert Api().get(address).status_code == 401


def test_a_row_whose_file_is_gone_is_not_found(admin: Api, project: Project) -> None:
    capture = factories.CaptureFactory(site=project.site)
    assert admin.get(f"/images/{capture.image_id}/thumb").status_code == 404


def test_too_many_files_are_refused_whole(admin: Api, project: Project, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_NUMBER_FILES = settings.UPLOAD_FILES_PER_REQUEST = 3
    files = {f"{n}.jpg": picture_bytes(n) for n in range(4)}
    answer = upload(admin, files)
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    body = answer.json()
    assert (body["code"], body["detail"]) == ("too_many_files", "At most 3 files a request")
    assert not Capture.objects.exists()


def test_an_upload_without_files_or_elsewhere_is_refused(admin: Api, project: Project) -> None:
    answer = admin.upload("/captures", site=project.site_id)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "files")
    other = factories.ProjectFactory()
    assert upload(admin, {"a.jpg": picture_bytes(1)}, project=other.pk).status_code == 404
    assert upload(admin, {"a.jpg": picture_bytes(1)}, site=other.site_id).status_code == 404
    assert not Capture.objects.exists()


def test_a_file_over_the_limit_is_quarantined(admin: Api, project: Project, settings: Any) -> None:
    settings.MAX_UPLOAD_BYTES = 1 << 20
    files = {"big.jpg": picture_bytes(1) + bytes(1 << 20), "good.jpg": picture_bytes(2)}
    results = upload(admin, files).json()["results"]
    assert fates(results) == {"big.jpg": "file_too_large", "good.jpg": "created"}


def test_a_json_body_over_the_limit_is_refused(admin: Api, project: Project, settings: Any) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 2 << 20
    answer = admin.patch("/me", {"display_name": "x" * (2 << 20)})
    assert answer.status_code == 413
    assert answer["Content-Type"] == "application/problem+json"
    assert answer.json()["code"] == "payload_too_large"
    assert answer.json()["detail"] == "The request is too large: at most 2 MB"


def test_a_request_far_over_every_limit_is_refused_unread(
    admin: Api, project: Project, settings: Any
) -> None:
    settings.MAX_UPLOAD_BYTES = 1 << 10
    answer = upload(admin, {"a.jpg": bytes(5 << 10)})
    assert (answer.status_code, answer.json()["code"]) == (413, "payload_too_large")
