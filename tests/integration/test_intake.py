"""Every way in: zips (hostile ones too), addresses, S3, watched folders, as jobs that resume."""

from __future__ import annotations

import http.server
import io
import json
import stat
import struct
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.captures import intake, jobs
from annotator.captures.models import Capture, Quarantine
from annotator.captures.sources import archive
from annotator.captures.sources.folder import Watch
from annotator.core import egress, outbox
from annotator.core.errors import DomainError
from annotator.core.models import Job
from annotator.labeling.models import Task
from tests import factories
from tests.conftest import Api
from tests.factories import picture_bytes

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def project() -> Project:
    made: Project = factories.ProjectFactory()
    return made


@pytest.fixture
def admin(project: Project) -> Api:
    return Api(factories.member(project.site, Role.ADMIN, language="en"))


def zipped(
    *members: tuple[str | zipfile.ZipInfo, bytes], method: int = zipfile.ZIP_DEFLATED
) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as file:
        for name, data in members:
            file.writestr(name, data)
    return out.getvalue()


def fates(data: bytes, name: str = "a.zip") -> dict[str, str]:
    """Each member's reason, or ``ok`` with its size."""
    found: dict[str, str] = {}
    for file in archive.members_of(io.BytesIO(data), name=name):
        try:
            found[file.name] = f"ok {len(file.read())}"
        except intake.BadPicture as bad:
            found[f"{file.name}{'!' if file.name in found else ''}"] = bad.code
    return found


# --- zips -------------------------------------------------------------------------------------


def flagged(data: bytes, name: bytes, offset: int, flag: int) -> bytes:
    """``data`` with a bit of the flags set in both headers of the member ``name``."""
    raw = bytearray(data)
    for sign, flags, names in ((b"PK\x03\x04", 6, 30), (b"PK\x01\x02", 8, 46)):
        at = raw.find(sign)
        while at >= 0:
            if raw[at + names : at + names + len(name)] == name:
                raw[at + flags + offset] |= flag
            at = raw.find(sign, at + 4)
    return bytes(raw)


def test_each_hostile_member_is_refused_with_its_reason_and_the_rest_taken(settings: Any) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    good = picture_bytes(1)
    with pytest.warns(UserWarning, match="Duplicate name"):
        data = zipped(
            ("good.jpg", good),
            ("../../etc/passwd", b"x" * 100),
            ("/absolute.jpg", good),
            ("C:\\windows.jpg", good),
            (link, b"/etc/passwd"),
            ("good.jpg", picture_bytes(2)),
            ("inner.zip", zipped(("a.jpg", good))),
            ("bomb.jpg", bytes(20 << 20)),
            ("secret.jpg", good),
            ("__MACOSX/._good.jpg", b"clutter"),
            ("folder/", b""),
            ("folder/last.jpg", good),
        )
    data = flagged(data, b"secret.jpg", 0, 1)
    assert fates(data) == {
        "a.zip/good.jpg": f"ok {len(good)}",
        "a.zip/../../etc/passwd": "zip_path_outside",
        "a.zip//absolute.jpg": "zip_path_outside",
        "a.zip/C:\\windows.jpg": "zip_path_outside",
        "a.zip/link.jpg": "zip_symlink",
        "a.zip/good.jpg!": "zip_duplicate_name",
        "a.zip/inner.zip": "zip_nested",
        "a.zip/bomb.jpg": "zip_ratio",
        "a.zip/secret.jpg": "zip_encrypted",
        "a.zip/folder/last.jpg": f"ok {len(good)}",
    }
    settings.ZIP_MAX_TOTAL_BYTES = len(good) + 10
    assert fates(data)["a.zip/folder/last.jpg"] == "zip_total_too_large"
    settings.MAX_UPLOAD_BYTES = 100
    assert fates(data)["a.zip/good.jpg"] == "file_too_large"


def test_damage_inside_a_zip_stays_with_its_member() -> None:
    data = bytearray(
        zipped(("a.jpg", b"A" * 500), ("b.jpg", b"B" * 500), method=zipfile.ZIP_STORED)
    )
    at = data.index(b"A" * 500)
    data[at : at + 3] = b"xyz"
    assert fates(bytes(data)) == {"a.zip/a.jpg": "zip_damaged", "a.zip/b.jpg": "ok 500"}


def test_a_member_that_promises_less_than_it_holds_is_damaged() -> None:
    data = bytearray(zipped(("a.jpg", b"A" * 100_000)))
    for sign, size_at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = data.index(sign) + size_at
        data[at : at + 4] = struct.pack("<I", 50)
    assert fates(bytes(data)) == {"a.zip/a.jpg": "zip_damaged"}


def test_too_many_members_are_refused_unread(settings: Any) -> None:
    settings.ZIP_MAX_MEMBERS = 3
    data = zipped(*((f"{n}.jpg", b"x") for n in range(4)))
    with pytest.raises(DomainError) as caught:
        archive.members_of(io.BytesIO(data), name="a.zip")
    assert caught.value.code == "zip_too_many"


def test_a_truncated_zip_gives_what_stands_before_the_break() -> None:
    whole = zipped(*((f"{n}.jpg", picture_bytes(n)) for n in range(3)), method=zipfile.ZIP_DEFLATED)
    last = whole.index(b"2.jpg") + 300
    sizes = {f"a.zip/{n}.jpg": f"ok {len(picture_bytes(n))}" for n in range(2)}
    assert fates(whole[:last]) == {**sizes, "a.zip": "zip_truncated"}
    with pytest.raises(DomainError, match="ZIP"):
        archive.members_of(io.BytesIO(b"no zip at all"), name="a.zip")


@pytest.mark.parametrize(
    ("name", "encoding"),
    [
        ("一号仓/洗发水.jpg", "gbk"),
        ("入库照片 (1).jpg", "gb18030"),
        ("倉庫/シャンプー.jpg", "cp932"),
        ("写真のコピー.jpg", "cp932"),
        ("café.jpg", "utf-8"),
        ("plain.jpg", "ascii"),
    ],
)
def test_names_in_old_encodings_are_read_well(name: str, encoding: str) -> None:
    raw = name.encode(encoding)
    assert archive.readable_name(raw.decode("cp437"), 0) == name
    assert archive.readable_name(name, 0x800) == name


def drain_and_load(pk: int) -> Job:
    outbox.drain("bulk")
    return Job.objects.get(pk=pk)


def test_a_zip_comes_in_through_the_api(admin: Api, project: Project) -> None:
    data = zipped(
        ("cam_top/1.jpg", picture_bytes(1)), ("2.jpg", picture_bytes(2)), ("3.txt", b"words")
    )
    answer = admin.upload(
        "/captures/zip", file=SimpleUploadedFile("批次.zip", data), project=project.pk
    )
    assert answer.status_code == 202, answer.content
    assert Job.objects.get().params["name"] == "批次.zip"
    job = drain_and_load(answer.json()["job"])
    assert (job.state, job.total, job.done) == ("done", 3, 3)
    assert job.counts == {"created": 2, "quarantined": 1}
    assert Task.objects.filter(project=project).count() == 2
    names = set(Capture.objects.values_list("original_name", "cam_type"))
    assert names == {("批次.zip/cam_top/1.jpg", "top"), ("批次.zip/2.jpg", "")}
    assert not default_storage.exists(job.params["zip"])
    refused = admin.upload("/captures/zip", file=SimpleUploadedFile("x.zip", b"x"))
    assert (refused.status_code, refused.json()["code"]) == (400, "zip_unreadable")


def test_a_killed_job_goes_on_where_it_stopped(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(intake, "BATCH_FILES", 2)
    data = zipped(*((f"{n}.jpg", picture_bytes(n)) for n in range(7)))
    job = jobs.start_zip(site=project.site, file=ContentFile(data), name="a.zip", project=project)
    seen: list[int] = []
    register = intake.register

    def dying(**options: Any) -> Any:
        if len(seen) == 4:
            seen.append(-1)
            raise OSError("the disk went away")
        seen.extend(range(len(options["files"])))
        return register(**options)

    monkeypatch.setattr(intake, "register", dying)
    outbox.drain("bulk")
    job.refresh_from_db()
    assert (job.checkpoint["state"]["at"], Capture.objects.count()) == (4, 4)
    from annotator.core.models import OutboxEvent

    OutboxEvent.objects.update(due_at="2020-01-01T00:00Z", leased_until=None)
    job = drain_and_load(job.pk)
    assert (job.state, job.done, job.counts) == ("done", 7, {"created": 7})
    assert len(seen) == 4 + 1 + 3, "what was taken before the checkpoint was not taken again"


# --- addresses --------------------------------------------------------------------------------


class Pages(http.server.BaseHTTPRequestHandler):
    """A small web: pictures, redirects, a slow one, an endless one."""

    def do_GET(self) -> None:
        kind = self.path.strip("/").split("/")[0]
        if kind == "to":
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to/").replace("_", "/"))
            self.end_headers()
        elif kind == "loop":
            self.send_response(302)
            self.send_header("Location", "/loop")
            self.end_headers()
        elif kind == "absent":
            self.send_error(404)
        elif kind in ("slow", "endless"):
            self.send_response(200)
            self.end_headers()
            try:
                for _ in range(200):
                    self.wfile.write(b"x" * (1 << 16 if kind == "endless" else 1))
                    if kind == "slow":
                        time.sleep(0.1)
            except OSError:
                pass
        else:
            data = b"<html>" if kind == "page" else picture_bytes(int(kind.partition("?")[0]))
            self.send_response(200)
            self.send_header("Content-Type", "image/png")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture(scope="module")
def web() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_address[1]
    server.shutdown()


class Names:
    """A resolver that answers what it is told, one answer after the other."""

    def __init__(self, **names: list[str] | list[list[str]]) -> None:
        self.names, self.asked = names, 0

    def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        found: Any = self.names.get(host.replace(".", "_"), [host])
        if found and isinstance(found[0], list):
            return found.pop(0) if len(found) > 1 else found[0]
        return list(found)


def client(names: Names | None = None, **options: Any) -> egress.Client:
    options = {"max_bytes": 1 << 20, "limit_s": 60.0, **options}
    return egress.Client(resolve=names or Names(), **options)


def refusal(fetch: egress.Client, url: str) -> str:
    with pytest.raises(egress.Refused) as caught:
        fetch.fetch(url)
    return caught.value.code


INSIDE = [
    "127.0.0.1", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
    "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1", "::1", "::", "fe80::1", "fc00::1",
    "ff02::1", "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",
    "2001:0:4136:e378:8000:63bf:3fff:fdd2",
]  # fmt: skip


@pytest.mark.parametrize("address", INSIDE)
def test_no_name_leads_inside(address: str) -> None:
    names = Names(shop_example=[address], both_example=["93.184.216.34", address])
    assert refusal(client(names), "http://shop.example/1") == "url_not_public"
    assert refusal(client(names), "https://both.example/1") == "url_not_public"


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0/",
        "http://2130706433/", "http://0x7f.1/", "http://127.1/", "http://localhost/",
    ],
)  # fmt: skip
def test_no_spelling_of_an_address_leads_inside(url: str) -> None:
    assert refusal(client(egress.resolve), url) in {"url_not_public", "url_unknown_host"}  # type: ignore[arg-type]


def test_public_addresses_are_public() -> None:
    import ipaddress

    for address in ("93.184.216.34", "2606:2800:220:1::1", "64:ff9b::5db8:d822"):
        assert egress.is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url", ["ftp://h/x", "file:///etc/passwd", "gopher://h", "http://u:p@h/", "http:///x", "x", ""]
)
def test_only_plain_web_addresses_are_fetched(url: str) -> None:
    assert refusal(client(), url) == "url_invalid"


def test_what_the_operator_allows_is_fetched(web: int) -> None:
    names = Names(nas_local=["127.0.0.1"])
    url = f"http://nas.local:{web}/1"
    assert client(names, allow=["nas.local"]).fetch(url) == picture_bytes(1)
    assert client(names, allow=["127.0.0.0/8"]).fetch(url) == picture_bytes(1)
    assert refusal(client(names, allow=["10.0.0.0/8", "other.local"]), url) == "url_not_public"


def test_the_connection_goes_to_the_address_that_was_judged(web: int) -> None:
    """A name that answers differently the second time is asked only once."""
    names = Names(nas_local=[["127.0.0.1"], ["10.0.0.1"]])
    assert client(names, allow=["127.0.0.1"]).fetch(f"http://nas.local:{web}/2")
    assert names.asked == 1


def test_redirects_are_judged_anew(web: int) -> None:
    names = Names(nas_local=["127.0.0.1"], evil_example=["127.0.0.1"])
    fetch = client(names, allow=["nas.local"])
    base = f"http://nas.local:{web}"
    assert fetch.fetch(f"{base}/to/_3") == picture_bytes(3)
    assert refusal(fetch, f"{base}/to/http:__evil.example:{web}_3") == "url_not_public"
    assert refusal(fetch, f"{base}/to/http:__169.254.169.254_latest") == "url_not_public"
    assert refusal(fetch, f"{base}/to/file:___etc_passwd") == "url_invalid"
    assert refusal(fetch, f"{base}/loop") == "url_redirects"


def test_size_time_and_status_are_bounded(web: int) -> None:
    fetch = client(Names(nas_local=["127.0.0.1"]), allow=["nas.local"])
    hasty = client(Names(nas_local=["127.0.0.1"]), allow=["nas.local"], limit_s=1.0)
    base = f"http://nas.local:{web}"
    assert refusal(fetch, f"{base}/endless") == "file_too_large"
    assert refusal(hasty, f"{base}/slow") == "url_timeout"
    assert refusal(fetch, f"{base}/absent") == "url_status"
    assert refusal(fetch, "http://nas.local:1/") == "url_failed"


def test_addresses_come_in_as_a_job(admin: Api, project: Project, web: int, settings: Any) -> None:
    settings.EGRESS_ALLOW = ["127.0.0.1"]
    base = f"http://127.0.0.1:{web}"
    urls = [f"{base}/11?key=secret", f"{base}/page", f"{base}/absent", "http://10.0.0.1/x.jpg"]
    answer = admin.post("/captures/urls", {"urls": urls, "project": project.pk})
    assert answer.status_code == 202, answer.content
    job = drain_and_load(answer.json()["job"])
    assert (job.state, job.counts) == ("done", {"created": 1, "quarantined": 3})
    reasons = dict(Quarantine.objects.values_list("name", "code"))
    assert reasons == {
        "127.0.0.1/page": "not_a_picture",
        "127.0.0.1/absent": "url_status",
        "10.0.0.1/x.jpg": "url_not_public",
    }
    assert Capture.objects.get().original_name == "127.0.0.1/11"
    settings.URLS_PER_REQUEST = 1
    assert admin.post("/captures/urls", {"urls": urls}).status_code == 400


# --- S3 ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def s3() -> Iterator[str]:
    server = pytest.importorskip("moto.server").ThreadedMotoServer(port=0)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(s3: str, monkeypatch: pytest.MonkeyPatch) -> Any:
    import boto3

    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    client = boto3.client("s3", endpoint_url=s3)
    client.create_bucket(Bucket="dock")
    for n in range(3):
        client.put_object(Bucket="dock", Key=f"day/{n}_top.jpg", Body=picture_bytes(n))
    client.put_object(Bucket="dock", Key="day/notes.txt", Body=b"words")
    client.put_object(Bucket="dock", Key="other/9.jpg", Body=picture_bytes(9))
    return client


def test_a_named_s3_source_comes_in(
    admin: Api, project: Project, bucket: Any, s3: str, settings: Any
) -> None:
    place = {"bucket": "dock", "prefix": "day/", "endpoint_url": s3}
    settings.INTAKE_SOURCES = {
        "dock": {**place, "sites": [project.site.slug]},
        "elsewhere": {**place, "sites": ["another-site"]},
        "all": place,
    }
    assert admin.get("/captures/sources").json() == [{"name": "all"}, {"name": "dock"}]
    answer = admin.post("/captures/sources", {"source": "dock", "project": project.pk})
    assert answer.status_code == 202, answer.content
    job = drain_and_load(answer.json()["job"])
    assert (job.state, job.counts) == ("done", {"created": 3, "quarantined": 1})
    assert job.checkpoint["state"] == {"at": 4, "key": "day/notes.txt"}
    assert set(Capture.objects.values_list("cam_type", flat=True)) == {"top"}
    for name in ("elsewhere", "nothing", "http://169.254.169.254"):
        refused = admin.post("/captures/sources", {"source": name})
        assert (refused.status_code, refused.json()["code"]) == (400, "unknown_source")
    settings.INTAKE_SOURCES["dock"]["bucket"] = "absent"
    job = drain_and_load(admin.post("/captures/sources", {"source": "dock"}).json()["job"])
    assert (job.state, job.error and job.error["code"]) == ("failed", "s3_failed")


def ingest(capsys: pytest.CaptureFixture[str], *arguments: object) -> dict[str, Any]:
    call_command("ingest", *map(str, arguments), "--site", "depot", "--json")
    said: dict[str, Any] = json.loads(capsys.readouterr().out)
    return said


def test_the_command_takes_prefixes_and_zips(
    bucket: Any, s3: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    said = ingest(capsys, "s3://dock/day/", "--endpoint-url", s3)
    assert (said["created"], said["quarantined"]) == (3, 1)
    file = tmp_path / "a.zip"
    file.write_bytes(zipped(("1.jpg", picture_bytes(1)), ("9.jpg", picture_bytes(9))))
    said = ingest(capsys, file)
    assert (said["files"], said["created"], said["existing"]) == (2, 1, 1)
    file.write_bytes(b"no zip")
    with pytest.raises(CommandError):
        ingest(capsys, file)


# --- watched folders --------------------------------------------------------------------------


def test_a_file_is_ready_when_it_rests(tmp_path: Path) -> None:
    watch = Watch(tmp_path)
    photo = tmp_path / "in" / "a.jpg"
    photo.parent.mkdir()
    photo.write_bytes(b"half")
    assert watch.look() == []
    photo.write_bytes(b"half and more")
    assert watch.look() == []
    assert watch.look() == [photo]
    assert watch.look() == []
    photo.write_bytes(b"something else altogether")
    assert watch.look() == []
    assert watch.look() == [photo]
    photo.write_bytes(b"changed while it was taken in")
    watch.put_away(photo, below=".taken")
    assert photo.exists()


def test_a_watched_folder_survives_a_restart(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "watched"
    folder.mkdir()
    for n in range(3):
        (folder / f"{n}.jpg").write_bytes(picture_bytes(n))
    (folder / "bad.jpg").write_bytes(b"words")
    watched = (folder, "--watch", "--every", "0.05", "--for", "1.5")
    said = ingest(capsys, *watched)
    assert (said["created"], said["existing"], said["quarantined"]) == (3, 0, 1)
    (folder / "late.jpg").write_bytes(picture_bytes(7))
    again = ingest(capsys, *watched, "--move")
    assert (again["created"], again["existing"], again["quarantined"]) == (1, 3, 1)
    assert (Capture.objects.count(), Quarantine.objects.count()) == (4, 1)
    assert sorted(p.name for p in (folder / ".taken").iterdir()) == [
        "0.jpg", "1.jpg", "2.jpg", "late.jpg",
    ]  # fmt: skip
    assert [p.name for p in (folder / ".refused").iterdir()] == ["bad.jpg"]
    assert ingest(capsys, *watched)["files"] == 0


# --- uploads and quarantine -------------------------------------------------------------------


def test_what_is_known_need_not_be_sent(admin: Api, project: Project) -> None:
    known = intake.take_in(site=project.site, name="a.jpg", data=picture_bytes(1), source="test")
    assert known.capture is not None
    sha256 = known.capture.image.sha256
    body = {"sha256": [sha256, "0" * 64], "project": project.pk}
    answer = admin.post("/captures/known", body)
    assert answer.json() == {"known": [{"sha256": sha256, "capture": known.capture.pk}]}
    assert Task.objects.get().scene_id == known.capture.scene_id
    assert admin.post("/captures/known", body).status_code == 200
    assert Task.objects.count() == 1
    assert admin.post("/captures/known", {"sha256": ["short"]}).status_code == 400


def test_quarantine_is_filtered_listed_and_dismissed(admin: Api, project: Project) -> None:
    files = {"a.jpg": b"", "=cmd.jpg": b"words", "c.jpg": b"more words"}
    for name, data in files.items():
        intake.take_in(site=project.site, name=name, data=data, source="test")
    site = project.site_id
    assert admin.get(f"/quarantine/reasons?site={site}").json() == [
        {"code": "not_a_picture", "files": 2},
        {"code": "empty_file", "files": 1},
    ]
    rows = admin.get("/quarantine?code=empty_file").json()["results"]
    assert [row["name"] for row in rows] == ["a.jpg"]
    answer = admin.get(f"/sites/{site}/quarantine.csv")
    lines = b"".join(answer.streaming_content).decode("utf-8-sig").splitlines()
    assert len(lines) == 4
    assert any(line.startswith("'=cmd.jpg,not_a_picture,") for line in lines)
    assert admin.post("/quarantine/dismiss", {}).status_code == 400
    by_id = admin.post("/quarantine/dismiss", {"ids": [rows[0]["id"]]})
    by_code = admin.post("/quarantine/dismiss", {"code": "not_a_picture"})
    assert (by_id.json(), by_code.json()) == ({"dismissed": 1}, {"dismissed": 2})
    assert admin.get("/quarantine").json()["results"] == []
    # The same files again are no news; the same name with another content is.
    intake.take_in(site=project.site, name="a.jpg", data=b"", source="test")
    assert admin.get("/quarantine").json()["results"] == []
    intake.take_in(site=project.site, name="a.jpg", data=b"other", source="test")
    assert len(admin.get("/quarantine").json()["results"]) == 1
