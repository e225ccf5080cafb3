"""Several models at work side by side: named by requests, loaded beside, refused when tampered with."""

from __future__ import annotations

import base64
import os
import signal
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from inference import bundles
from inference.client import HttpRecognizer
from inference.contracts import (
    Change,
    Description,
    ModelRefused,
    OtherDescriber,
    Recognition,
    Sighting,
    SiteRef,
    SkuRecord,
    write_segment,
)
from inference.local import LocalRecognizer
from inference.shelf import Shelf
from tests.bundles import tamper
from tests.inference.conftest import encode, render_pack
from tests.inference.servers import NO_MODEL, Server, eventually, serving
from tests.models import tiny_model, variant

pytest.importorskip("torch", reason="making a model wants torch: pip install -e '.[train]'")
pytest.importorskip("onnxscript", reason="exporting wants it: pip install -e '.[train]'")

SITE = "several"
CHANGES = [
    Change(n + 1, "put_sku", sku=SkuRecord(code, code, spec="1L", unit="箱", pack_text=code))
    for n, code in enumerate(("MILK", "JUICE"))
]


class Models:
    """A shelf with two models, and a third one that was tampered with."""

    def __init__(self, root: Path) -> None:
        one = tiny_model(root / "one")
        self.shelf = root / "models"
        folders = [one, variant(one, root / "two", 2.0), variant(one, root / "three", 3.0)]
        self.one, self.two, self.broken = (bundles.shelve(f, self.shelf) for f in folders)
        tamper(self.shelf / self.broken)
        self.names = {digest: Shelf(self.shelf).get(digest).name for digest in (self.one, self.two)}


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Models:
    return Models(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="module")
def local(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LocalRecognizer]:
    sites = tmp_path_factory.mktemp("sites")
    write_segment(sites / SITE, "log", CHANGES, first=1, last=2)
    made = LocalRecognizer(sites, models_dir=models.shelf, minigpt=False)
    yield made
    made.close()


def picture(word: str) -> bytes:
    return encode(render_pack(word))


def described(one: object) -> Description:
    assert isinstance(one, Description)
    return one


def quantity_of(recognition: Recognition) -> float | None:
    return recognition.fields["quantity"].confidence


# --- the shelf -----------------------------------------------------------------------------------


def test_the_last_used_stay_and_what_is_not_right_is_refused(models: Models) -> None:
    shelf = Shelf(models.shelf, kept=1)
    one = shelf.get(models.one)
    assert shelf.get(models.one) is one
    shelf.get(models.two)
    assert shelf.loaded() == [models.two]
    assert shelf.get(models.one) is not one, "it was put away, and is loaded again"
    for digest in (models.broken, "0" * 64, "../one", ""):
        with pytest.raises(ModelRefused):
            shelf.get(digest)
    with pytest.raises(ModelRefused, match="no models folder"):
        Shelf(None).get(models.one)
    # Another bundle under its name is refused as well, however well it is sealed.
    posed = models.shelf / ("f" * 64)
    os.symlink(models.shelf / models.two, posed)
    with pytest.raises(ModelRefused, match="another model"):
        shelf.get("f" * 64)
    posed.unlink()


def test_who_asks_for_what_is_being_loaded_waits_for_it(models: Models) -> None:
    shelf, got = Shelf(models.shelf), []
    threads = [threading.Thread(target=lambda: got.append(shelf.get(models.one))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({id(reader) for reader in got}) == 1


# --- the recognizer ------------------------------------------------------------------------------


def test_each_request_is_answered_by_the_model_it_names(
    models: Models, local: LocalRecognizer
) -> None:
    photo, site = picture("MILK"), SiteRef(SITE, 2)
    plain = described(local.describe([photo])[0])
    assert (plain.sight, plain.seen_by) == (b"", "")
    assert local.see([photo], model="") == [Sighting(plain.image_sha256, b"", "")]
    whole = described(local.describe([photo], model=models.one)[0])
    assert whole.describer == plain.describer, "what else is described hangs on no model"
    assert whole.seen_by == models.names[models.one]
    (seen,) = local.see([photo], model=models.one)
    assert seen == Sighting(whole.image_sha256, whole.sight, whole.seen_by)
    answers = {}
    for model in (models.one, models.two):
        (sighting,) = local.see([photo], model=model)
        assert isinstance(sighting, Sighting)
        asked = replace(plain, sight=sighting.sight, seen_by=sighting.seen_by)
        (answers[model],) = local.rank(site, [asked], model=model)
        assert models.names[model] in answers[model].model_version.split("+")
        other = models.two if model == models.one else models.one
        with pytest.raises(OtherDescriber):
            local.rank(site, [asked], model=other)
    (none,) = local.rank(site, [plain])
    assert "minigpt" not in none.model_version
    assert none.fields["quantity"].source == "not_available"
    one, two = (quantity_of(answers[m]) for m in (models.one, models.two))
    assert one is not None and two is not None and one > two, "the second is less sure of itself"
    with pytest.raises(OtherDescriber):
        local.rank(site, [plain], model=models.one)
    for verb in (
        lambda: local.describe([photo], model=models.broken),
        lambda: local.see([photo], model=models.broken),
        lambda: local.rank(site, [plain], model=models.broken),
        lambda: local.prepare(models.broken),
    ):
        with pytest.raises(ModelRefused, match="is not what was sealed"):
            verb()


def test_a_description_of_former_times_tells_its_model(local: LocalRecognizer) -> None:
    plain = described(local.describe([picture("MILK")])[0])
    data = plain.to_json()
    del data["seen_by"]
    data["describer"] += "+minigpt-0a1b2c3d4e5f"
    data["sight"] = base64.b64encode(b"x").decode()
    read = Description.from_json(data)
    assert (read.describer, read.seen_by) == (plain.describer, "minigpt-0a1b2c3d4e5f")


# --- the server ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def server(models: Models, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("served")
    sites = folder / "sites"
    write_segment(sites / SITE, "log", CHANGES, first=1, last=2)
    options = ("--sites", str(sites), "--models", str(models.shelf), *NO_MODEL)
    with serving(folder, *options) as running:
        yield running


def test_a_server_prepares_a_model_beside_and_answers_with_it(
    models: Models, server: Server, local: LocalRecognizer
) -> None:
    client = HttpRecognizer(server.url)
    photo, site = picture("JUICE"), SiteRef(SITE, 2)
    client.prepare(models.one)
    client.prepare(models.one)
    whole = described(client.describe([photo], model=models.one)[0])
    (at_home,) = local.describe([photo], model=models.one)
    assert replace(whole, timings_ms={}) == replace(described(at_home), timings_ms={})
    assert client.see([photo], model=models.one) == local.see([photo], model=models.one)
    (answer,) = client.rank(site, [whole], model=models.one)
    assert models.names[models.one] in answer.model_version
    # Another model looks at what is known already, and nothing is read again.
    before = server.metric("cache_lookups_total", result="miss")
    read = whole.timings_ms
    other = described(client.describe([photo], model=models.two)[0])
    assert other.timings_ms == read, "what was read is what was kept"
    assert other.seen_by == models.names[models.two]
    assert server.metric("cache_lookups_total", result="miss") == before + 1
    # And what both saw is kept: neither is asked again.
    for model, seen in ((models.one, whole), (models.two, other)):
        assert client.describe([photo], model=model) == [seen]
    (plain,) = client.describe([picture("PLAIN")])
    assert described(plain).seen_by == ""
    assert server.metric("cache_lookups_total", result="miss") == before + 2
    client.close()


def test_a_server_refuses_what_was_tampered_with_and_goes_on(
    models: Models, server: Server
) -> None:
    client = HttpRecognizer(server.url)
    photo, site = picture("MILK"), SiteRef(SITE, 2)
    with pytest.raises(ModelRefused, match="is not what was sealed"):
        client.prepare(models.broken)
    for verb in (
        lambda: client.describe([photo], model=models.broken),
        lambda: client.see([photo], model=models.broken),
        lambda: client.rank(site, [described(client.describe([photo])[0])], model=models.broken),
    ):
        with pytest.raises(ModelRefused):
            verb()
    assert described(client.describe([photo], model=models.one)[0]).seen_by
    assert server.metric("restarts_total") == 0, "no process was lost over it"
    client.close()


def test_a_process_that_is_replaced_has_the_models_in_use(models: Models, server: Server) -> None:
    client = HttpRecognizer(server.url)
    client.prepare(models.two)
    restarts = server.metric("restarts_total")
    for pid in server.processes():
        os.kill(pid, signal.SIGKILL)
    assert eventually(lambda: server.metric("restarts_total") >= restarts + 2 and client.ready())
    loaded = [
        line["message"] for line in server.log() if "was loaded in" in str(line.get("message"))
    ]
    assert sum(models.two[:12] in line for line in loaded) >= 4, "two processes, twice each"
    assert described(client.describe([picture("NEW")], model=models.two)[0]).seen_by
    client.close()
