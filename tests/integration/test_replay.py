"""Stored answers made again, with the shipped recognizer: what the site has learned since, or forgotten,
changes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from PIL import Image

from annotator.accounts.models import Project, Site
from annotator.accounts.states import Role
from annotator.captures.intake import take_in
from annotator.catalog import services as catalog
from annotator.catalog.models import Sku
from annotator.core import outbox
from annotator.modelhub import services as models
from annotator.suggestions import memory, recognizer, replaying
from annotator.suggestions.answers import description_of
from annotator.suggestions.models import Evidence, MachineAnswer, SiteChange, SiteMemory, Suggestion
from inference.contracts import Example
from inference.local import LocalRecognizer
from inference.scenes import demo_catalog, render_reference, render_scene
from tests import factories
from tests.conftest import Api
from tests.conveyor import Conveyor, add_sku, work
from tests.models import tiny_model, variant

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def live(settings: Any) -> Iterator[LocalRecognizer]:
    settings.RECOGNIZER = "inference.local.LocalRecognizer"
    settings.RECOGNIZER_OPTIONS = {"sites_dir": settings.SITES_DIR, "debounce_s": 0.02}
    settings.MODELS_DIR = settings.HOME / "models"
    recognizer.forget_recognizer()
    made = recognizer.get_recognizer()
    assert isinstance(made, LocalRecognizer)
    yield made
    made.close()
    recognizer.forget_recognizer()


def bytes_of(image: Image.Image) -> bytes:
    out = io.BytesIO()
    image.save(out, "JPEG", quality=90)
    return out.getvalue()


def replayed(capsys: pytest.CaptureFixture[str], name: str, **options: Any) -> dict[str, Any]:
    capsys.readouterr()
    call_command("replay", name, json=True, **options)
    (line,) = capsys.readouterr().out.splitlines()
    told: dict[str, Any] = json.loads(line)
    return told


def teach(site: Site, sku_code: str, answer: int) -> None:
    """What was seen for an answer becomes a decided picture of a SKU."""
    seen = description_of(MachineAnswer.objects.get(pk=answer).evidence)
    example = Example(
        key=f"cap:{answer}",
        sku_code=sku_code,
        kind="decided",
        embedding=seen.embedding,
        keypoints=seen.keypoints,
        ocr_text=" ".join(line.text for line in seen.ocr_lines),
        group=f"scene:{answer}",
    )
    memory.append(site_id=site.pk, changes=[memory.put_example(example)])


def test_an_answer_is_made_again_after_everything_has_changed(
    live: LocalRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    site = factories.SiteFactory(keep_answers="answers")
    truths = demo_catalog()[::8][:3]
    for truth in truths:
        add_sku(
            site, truth.code, bytes_of(render_reference(truth, 1)),
            brand=truth.brand, category=truth.category, spec=truth.spec, pack_text=truth.pack_text,
        )  # fmt: skip
    work()
    line = Conveyor(site)

    def photo(n: int, seed: int) -> bytes:
        scene = render_scene(
            truths[n], seed, cam_types=("front",), size_px=(480, 360), count=1, grade=0
        )
        return bytes_of(scene.views["front"])

    # Before anything was learned, right after a decision, and when the heads have learned of it.
    answers = [line.multipart(photo(n, 3)).json() for n in range(2)]
    for n in range(2):
        teach(site, truths[n].code, answers[n]["answer_id"])
    known = memory.site_key(site.pk)
    live.settle(known)
    answers.append(line.multipart(photo(0, 5)).json())
    learned = answers[-1]["learned_number"]
    assert learned == answers[-1]["site_number"] == 8
    live._debounce_s = 3600.0  # what comes now is known before it is learned
    teach(site, truths[2].code, answers[2]["answer_id"])
    answers.append(line.multipart(photo(1, 6)).json())
    assert (answers[-1]["site_number"], answers[-1]["learned_number"]) == (9, learned)

    # The catalog changes, what was learned is forgotten, the published log is restated without it.
    admin = factories.member(site, Role.ADMIN)
    for truth, changes in zip(
        truths, ({"spec": "9L", "brand": "x"}, {"active": False}), strict=False
    ):
        sku = Sku.objects.get(site=site, code=truth.code)
        catalog.save_sku(site=site, sku=sku, changes=changes, actor=admin)
    work()
    memory.append(
        site_id=site.pk,
        changes=[memory.delete_example(f"cap:{answers[0]['answer_id']}")],
    )
    assert memory.rebuild(site.pk) == SiteMemory.objects.get(site=site).last_number == 12

    with replaying.Replay() as replay:
        for answer in answers:
            (stored,) = replaying.stored_answers(str(answer["answer_id"]))
            again = replaying.said(replay.make_again(stored))
            assert json.dumps(again) == json.dumps(replaying.said(stored.recognition))
            shown = {c["sku_code"]: c["confidence"] for c in answer["candidates"]}
            assert shown == {c["sku_code"]: c["confidence"] for c in again["candidates"]}
            # Now, when the second SKU is gone, something else is said.
            now = replay.ask_now(stored, replaying.LIVE)
            assert now.site_number == 12 and len(now.candidates) == 2

    # In words, by the request, and against a version that is not here.
    capsys.readouterr()
    call_command("replay", answers[2]["request_id"], against="minigpt-000000000000")
    text = capsys.readouterr().out
    assert "the same, byte for byte" in text and truths[0].code in text
    assert "there is no model minigpt-000000000000 here" in text
    told = replayed(capsys, str(answers[2]["answer_id"]), against=live.model_version)
    assert (told["exact"], told["differences"], told["against"]["error"]) == (True, [], "")
    assert told["against"]["said"]["site_number"] == 12

    # The same by a button: a job, one at a time, whose result says so.
    api, path = Api(admin), f"/sites/{site.pk}/answers/{answers[2]['answer_id']}/replay"
    asked = [api.post(path) for _ in range(2)]
    assert {one.status_code for one in asked} == {202}
    assert asked[0].json() == asked[1].json()
    work()
    outbox.drain("bulk")
    job = api.get(f"/jobs/{asked[0].json()['job']}").json()
    assert (job["state"], job["result"]["exact"]) == ("done", True)
    assert job["result"]["again"] == job["result"]["stored"] == told["stored"]
    assert job["result"]["against"]["said"]["site_number"] == 12

    # One answer that was tampered with does not come out the same; one whose evidence was is refused.
    row = MachineAnswer.objects.get(pk=answers[0]["answer_id"])
    row.recognition["fields"]["sku"]["confidence"] = 0.1234
    row.save()
    with pytest.raises(CommandError, match="did not come out the same"):
        call_command("replay", str(row.pk), json=True)
    told = json.loads(capsys.readouterr().out)
    assert told["differences"] == ["fields.sku.confidence"]
    Evidence.objects.filter(pk=row.evidence_id).update(digest="0" * 64)
    with pytest.raises(CommandError, match="hash"):
        call_command("replay", str(row.pk), json=True)
    SiteChange.objects.filter(site=site, number=2).delete()
    with pytest.raises(CommandError, match="not all there"):
        call_command("replay", str(answers[2]["answer_id"]))


def test_a_suggestion_is_made_again(
    live: LocalRecognizer, capsys: pytest.CaptureFixture[str]
) -> None:
    project: Project = factories.ProjectFactory()
    truth = demo_catalog()[0]
    add_sku(project.site, truth.code, bytes_of(render_reference(truth, 1)), spec=truth.spec)
    work()
    taken = take_in(
        site=project.site,
        name="a.jpg",
        data=bytes_of(render_reference(truth, 2)),
        source="test",
        project=project,
    ).capture
    assert taken is not None
    work()
    suggestion = Suggestion.objects.get(capture=taken)
    told = replayed(capsys, f"suggestion:{suggestion.pk}")
    assert told["exact"] and told["again"]["candidates"][0]["sku_code"] == truth.code
    taken.image.description.delete()
    with pytest.raises(CommandError, match="replaced"):
        call_command("replay", f"suggestion:{suggestion.pk}")
    for name, why in (("12345", "No answer"), ("suggestion:x", "no suggestion")):
        with pytest.raises(CommandError, match=why):
            call_command("replay", name)


def test_an_answer_of_a_sites_own_model_is_made_again_by_that_model(
    settings: Any, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    pytest.importorskip("torch", reason="making a model wants torch: pip install -e '.[train]'")
    settings.RECOGNIZER = "inference.local.LocalRecognizer"
    settings.RECOGNIZER_OPTIONS = {
        "sites_dir": settings.SITES_DIR,
        "models_dir": settings.MODELS_DIR,
    }
    recognizer.forget_recognizer()
    site = factories.SiteFactory(keep_answers="answers")
    add_sku(site, "A-1", factories.picture_bytes(1), unit="箱")
    work()
    first = tiny_model(tmp_path / "one")
    folders = [first, variant(first, tmp_path / "two", 2.0)]
    one, two = (models.register(site, folder, report={}, run_key=folder.name) for folder in folders)
    models.promote(one, by=None, reason="")
    line = Conveyor(site)
    answer = line.multipart(factories.picture_bytes(2)).json()
    assert "minigpt-" in answer["model_version"]
    models.promote(two, by=None, reason="")
    now = line.multipart(factories.picture_bytes(2)).json()
    assert now["model_version"] != answer["model_version"]
    for said in (answer, now):
        told = replayed(capsys, str(said["answer_id"]))
        assert told["exact"], told["differences"]
        assert told["again"]["model_version"] == said["model_version"]
    recognizer.get_recognizer().close()  # type: ignore[attr-defined]
    recognizer.forget_recognizer()
