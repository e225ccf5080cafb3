"""Which model had part in a suggestion: by the site, by the trial, after a promotion, and where one is refused."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings
from django.core.management import CommandError, call_command

from annotator.accounts.models import Project, Site
from annotator.accounts.states import Role
from annotator.captures.intake import take_in
from annotator.captures.models import Capture
from annotator.core import jobs, outbox
from annotator.core.models import Job
from annotator.labeling import rollout
from annotator.labeling import services as labeling
from annotator.labeling.models import Assignment
from annotator.modelhub import queries, services
from annotator.modelhub.models import LiveModel, ModelVersion
from annotator.quality import trials
from annotator.suggestions import services as suggestions
from annotator.suggestions.models import (
    CaptureSuggestion,
    MachineAnswer,
    PictureDescription,
    Sight,
    Suggestion,
)
from inference import bundles
from tests import factories
from tests.bundles import bundle, tamper
from tests.conftest import Api
from tests.conveyor import Conveyor, add_sku, thumbnail_machine, work
from tests.factories import picture_bytes
from tests.recognizers import ThumbnailRecognizer, model_name

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def machine(settings: Any) -> Iterator[ThumbnailRecognizer]:
    yield from thumbnail_machine(settings)


@pytest.fixture
def project(machine: ThumbnailRecognizer) -> Project:
    return factories.ProjectFactory()


def version(site: Site, tmp_path: Path, name: str) -> ModelVersion:
    folder = bundle(tmp_path / f"trained-{name}", name)
    return services.register(site, folder, report={"val": {"sku": 0.5}}, run_key=name)


def photos(project: Project, count: int) -> list[Capture]:
    taken = []
    for n in range(count):
        capture = take_in(
            site=project.site, name=f"{n}.jpg", data=picture_bytes(n), source="t", project=project
        ).capture
        assert capture is not None
        taken.append(capture)
    work()
    return taken


def follow() -> None:
    """Run the jobs that are due, and what they cause."""
    while outbox.drain("bulk") or work():
        pass


def models_of(captures: list[Capture]) -> list[ModelVersion | None]:
    rows = {
        row.capture_id: row.current
        for row in CaptureSuggestion.objects.select_related("current__model")
    }
    found = []
    for capture in captures:
        current = rows[capture.pk]
        assert current is not None
        name = model_name(current.model.digest) if current.model else ""
        assert (name in current.model_version.split("+")) or not name
        found.append(current.model)
    return found


def test_a_promotion_looks_before_it_swaps_and_proposes_anew(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    captures = photos(project, 3)
    assert models_of(captures) == [None] * 3
    annotator = factories.member(project.site, Role.ANNOTATOR)
    held = labeling.next_assignment(project=project, annotator=annotator)
    assert held is not None
    shown = held.suggestion_id
    described = len(machine.described)
    one = version(project.site, tmp_path, "one")
    job = services.start_promotion(one, by=annotator, reason="first", gate={"passed": True})
    assert queries.live_of(project.site).champion is None  # type: ignore[union-attr]
    assert outbox.drain("bulk", limit=1) == 1
    job = Job.objects.get(pk=job.pk)
    assert (job.state, job.done, job.total) == ("done", 3, 3), job.error
    assert machine.prepared == [one.digest]
    assert Sight.objects.filter(digest=one.digest).count() == 3, "seen before the swap"
    seen = len(machine.seen)
    follow()
    assert Job.objects.get(kind=rollout.FOLLOW).state == "done"
    assert models_of(captures) == [one] * 3
    assert len(machine.described) == described, "no picture was read again"
    assert len(machine.seen) == seen, "nor seen again"
    live = LiveModel.objects.get()
    assert (live.champion, live.revision, live.changed_by) == (one, 1, annotator)
    assert Assignment.objects.get(pk=held.pk).suggestion_id == shown, "who was shown one keeps it"


def test_rolling_back_uses_what_was_seen(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    captures = photos(project, 2)
    one, two = (version(project.site, tmp_path, name) for name in ("one", "two"))
    for each in (one, two):
        services.start_promotion(each, by=None, reason="")
        follow()
    assert models_of(captures) == [two] * 2
    asked = len(machine.seen), len(machine.described)
    services.rollback(project.site, by=None, reason="")
    follow()
    assert models_of(captures) == [one] * 2
    services.rollback(project.site, by=None, reason="")
    follow()
    assert models_of(captures) == [None] * 2
    assert (len(machine.seen), len(machine.described)) == asked, "nothing was looked at again"
    # A picture that only the new model has seen is seen by the shipped one, not read again.
    services.promote(two, by=None, reason="")
    follow()
    (new,) = photos(project, 3)[2:]
    assert not Sight.objects.filter(image=new.image, digest="").exists()
    services.rollback(project.site, by=None, reason="")
    follow()
    assert models_of([new]) == [None]
    assert machine.described.count(new.image.sha256) == 1


def test_two_who_promote_at_once_are_told_apart(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    one, two = (version(project.site, tmp_path, name) for name in ("one", "two"))
    api = Api(factories.member(project.site, Role.ADMIN))
    path = f"/sites/{project.site_id}/models"
    first = api.post(f"{path}/{one.pk}/promote", {"reason": "x"}, If_Match='"0"')
    assert first.status_code == 202, first.content
    second = api.post(f"{path}/{two.pk}/promote", {}, If_Match='"0"')
    assert (second.status_code, second.json()["code"]) == (409, "model_is_rolling_out")
    assert api.get(f"{path}/live").json()["rollout"] == first.json()["job"]
    # Somebody promotes by the command in the meantime: the job loses, and says so.
    services.promote(two, by=None, reason="at the console")
    follow()
    job = Job.objects.get(pk=first.json()["job"])
    assert (job.state, (job.error or {})["code"]) == ("failed", "model_changed")
    assert LiveModel.objects.get().champion == two
    stale = api.post(f"{path}/{one.pk}/promote", {}, If_Match='"0"')
    assert (stale.status_code, stale.json()["code"]) == (409, "model_changed")
    again = api.post(f"{path}/{two.pk}/promote", {})
    assert (again.status_code, again.json()["code"]) == (409, "model_is_live")


def test_a_model_that_the_recognizer_refuses_is_not_promoted(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    one, two = (version(project.site, tmp_path, name) for name in ("one", "two"))
    services.promote(one, by=None, reason="")
    machine.refused.add(two.digest)
    job = services.start_promotion(two, by=None, reason="")
    follow()
    job = Job.objects.get(pk=job.pk)
    assert (job.state, (job.error or {})["code"]) == ("failed", "model_refused")
    assert LiveModel.objects.get().champion == one
    assert "cannot be loaded" in ModelVersion.objects.get(pk=two.pk).refusal
    tamper(django_settings.MODELS_DIR / two.digest)
    api = Api(factories.member(project.site, Role.ADMIN))
    answer = api.post(f"/sites/{project.site_id}/models/{two.pk}/promote", {})
    assert (answer.status_code, answer.json()["code"]) == (409, "model_broken")


def test_what_answered_before_answers_for_a_refused_champion(
    project: Project,
    machine: ThumbnailRecognizer,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    site = project.site
    add_sku(site, "A-1", picture_bytes(50))
    work()
    one, two = (version(site, tmp_path, name) for name in ("one", "two"))
    for each in (one, two):
        services.promote(each, by=None, reason="")
    machine.refused.add(two.digest)
    line = Conveyor(site)
    for _ in range(2):
        answer = line.multipart(picture_bytes(7))
        assert answer.status_code == 200, answer.content
        assert "model_fallback" in answer.json()["evidence"]["flags"]
        assert model_name(one.digest) in answer.json()["model_version"]
        assert MachineAnswer.objects.get(pk=answer.json()["answer_id"]).model == one
    told = [record for record in caplog.records if "refuses v2" in record.getMessage()]
    assert len(told) == 1, "said once"
    (capture,) = photos(project, 1)
    assert models_of([capture]) == [one]
    assert "model_fallback" in CaptureSuggestion.objects.get().current.flags  # type: ignore[union-attr]
    machine.refused.add(one.digest)
    answer = line.multipart(picture_bytes(7)).json()
    assert MachineAnswer.objects.get(pk=answer["answer_id"]).model is None, (
        "the shipped one at last"
    )
    # It can be loaded again: it answers, and nobody is told that it does not.
    machine.refused.clear()
    answer = line.multipart(picture_bytes(7)).json()
    assert "model_fallback" not in answer["evidence"]["flags"]
    assert MachineAnswer.objects.get(pk=answer["answer_id"]).model == two
    assert ModelVersion.objects.get(pk=two.pk).refusal == ""


def test_a_trial_gives_each_picture_its_arm_and_both_are_measured(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    site = project.site
    add_sku(site, "A-1", picture_bytes(50), spec="500ml/瓶")
    work()
    one, two = (version(site, tmp_path, name) for name in ("one", "two"))
    services.promote(one, by=None, reason="")
    services.start_trial(two, 0.5, by=None)
    captures = photos(project, 12)
    arms = models_of(captures)
    assert {one, two} == set(arms)
    assert arms == [services.chosen(site, capture.image.sha256) for capture in captures]
    # A batch of the line is parted too, and each picture keeps its arm and its place.
    line = Conveyor(site)
    for n, capture in enumerate(captures[:4]):
        answer = line.multipart(picture_bytes(n)).json()
        assert MachineAnswer.objects.get(pk=answer["answer_id"]).model == arms[n], capture
    annotator = factories.member(site, Role.ANNOTATOR)
    answered = {one: 0, two: 0}
    for n in range(8):
        held = labeling.next_assignment(project=project, annotator=annotator)
        assert held is not None
        Assignment.objects.filter(pk=held.pk).update(suggestion_shown=True)
        held.refresh_from_db()
        assert held.suggestion is not None
        arm = held.suggestion.model
        assert arm is not None
        answered[arm] += 1
        labeling.submit_annotation(
            assignment=held,
            annotator=annotator,
            token=held.token,
            fields={**factories.GOOD_FIELDS, "sku": "A-1" if arm == one else "B-2"},
            boxes=[],
            attributes={},
            active_seconds=10 + n,
        )
    body = Api(factories.member(site, Role.ADMIN)).get(f"/sites/{site.pk}/models/arms").json()
    figures = {row["model"]: row for row in body}
    assert [row["name"] for row in body] == [v.name for v in (one, two) if answered[v]]
    for arm, count in answered.items():
        if not count:
            continue
        row = figures[arm.pk]
        assert row["answers"] == count
        assert row["fields"]["sku"]["n"] == count
        assert row["fields"]["sku"]["value"] == (1.0 if arm == one else 0.0)
        assert row["fields"]["sku"]["low"] <= row["fields"]["sku"]["value"]
        assert 10 <= row["seconds"]["value"] <= 17
    assert trials.arms(factories.SiteFactory()) == []


def test_commands(
    project: Project,
    machine: ThumbnailRecognizer,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    site = project.site
    photos(project, 2)

    def told(*command: str) -> dict[str, Any]:
        capsys.readouterr()
        call_command(*command, site=site.slug, json=True)
        (line,) = capsys.readouterr().out.splitlines()
        found: dict[str, Any] = json.loads(line)
        return found

    one = version(site, tmp_path, "one")
    first = told("promote", "v1")
    assert (first["version"], first["previous"], first["seen"]) == ("v1", None, 2)
    assert first["prepared"] is True
    folder = bundle(tmp_path / "given", "two")
    capsys.readouterr()
    call_command("promote", str(folder), "--import", site=site.slug, json=True, reason="given")
    second = json.loads(capsys.readouterr().out)
    assert (second["version"], second["previous"]) == ("v2", "v1")
    imported = ModelVersion.objects.get(number=2)
    assert (imported.source, imported.notes) == ("imported", "given")
    back = told("rollback")
    assert (back["version"], back["digest"], back["steps_left"]) == ("v1", one.digest, 1)
    machine.down = True
    assert told("promote", second["digest"][:10])["prepared"] is False
    machine.down = False
    for command in (("promote", "v9"), ("promote", "v2")):
        with pytest.raises(CommandError):
            call_command(*command, site=site.slug)
    assert told("rollback")["version"] == "v1"
    assert told("rollback")["version"] is None
    with pytest.raises(CommandError):
        call_command("rollback", site=site.slug)


def test_the_pages_of_models(
    project: Project,
    machine: ThumbnailRecognizer,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    site = project.site
    one, two = (version(site, tmp_path, name) for name in ("one", "two"))
    api = Api(factories.member(site, Role.ADMIN))
    path = f"/sites/{site.pk}/models"
    empty = api.get(f"{path}/live")
    assert (empty.json()["champion"], empty.headers["ETag"]) == (None, '"0"')
    assert empty.json()["base"] is False
    monkeypatch.setattr(bundles, "SHIPPED", bundle(tmp_path / "shipped"))
    assert api.get(f"{path}/live").json()["base"] is True
    assert [row["name"] for row in api.get(path).json()["results"]] == ["v2", "v1"]
    assert api.get(f"{path}/{one.pk}").json()["report"] == {"val": {"sku": 0.5}}
    ModelVersion.objects.filter(pk=two.pk).update(report={"val": {"sku": 0.75}})
    figures = api.get(f"/models/{one.pk}/compare?with={two.pk}").json()["figures"]
    assert figures == [{"figure": "val.sku", "one": 0.5, "other": 0.75, "change": 0.25}]
    trial = api.put(f"{path}/trial", {"version": one.pk, "share": 0.25, "reason": "why not"})
    # It is loaded before it gets any traffic, and looks at what it will be asked about.
    assert (trial.status_code, trial.json()["challenger"]) == (202, None)
    assert trial.json()["rollout"] == Job.objects.get(kind="try_model").pk and not machine.prepared
    assert api.put(f"{path}/trial", {"version": two.pk, "share": 0.5}).status_code == 409
    outbox.drain("bulk")
    assert machine.prepared == [one.digest]
    begun = api.get(f"{path}/live")
    assert (begun.json()["challenger"]["name"], begun.headers["ETag"]) == ("v1", '"1"')
    assert (begun.json()["challenger_share"], begun.json()["rollout"]) == (0.25, None)
    assert api.put(f"{path}/trial", {"version": one.pk, "share": 2}).status_code == 400
    assert api.delete(f"{path}/trial", If_Match='"0"').status_code == 409
    assert api.delete(f"{path}/trial").json()["challenger"] is None
    services.promote(two, by=None, reason="")
    assert api.get("/pulse").json()["models"] == {str(site.pk): 3}
    back = api.post(f"{path}/rollback", {"reason": "no"}, If_Match='"3"')
    assert (back.json()["champion"], back.json()["revision"]) == (None, 4)
    assert api.post(f"{path}/rollback", {}).json()["code"] == "no_former_model"
    changes = api.get(f"{path}/live").json()["changes"]
    assert [(c["kind"], c["before"], c["after"]) for c in changes] == [
        ("rolled_back", "v2", None),
        ("promoted", None, "v2"),
        ("trial_ended", "v1", None),
        ("trial_started", None, "v1"),
    ]


def test_a_challenger_looks_at_its_share_before_it_answers(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    captures = photos(project, 12)
    two = version(project.site, tmp_path, "two")
    machine.refused = {two.digest}
    job = services.ask_for_trial(two, 0.5, by=None)
    assert job is not None
    outbox.drain("bulk")
    job.refresh_from_db()
    assert job.state == "failed" and queries.live_of(project.site).challenger is None  # type: ignore[union-attr]
    machine.refused = set()
    machine.seen.clear()
    services.ask_for_trial(two, 0.5, by=None)
    outbox.drain("bulk", limit=1)
    tried = queries.arm(two, 0.5)
    wanted = {(c.image.sha256, two.digest) for c in captures if tried(c.image.sha256)}
    assert 0 < len(wanted) < len(captures) and set(machine.seen) == wanted
    # More of it is given to a challenger that is there already at once.
    assert services.ask_for_trial(two, 0.75, by=None) is None
    live = LiveModel.objects.get(site=project.site)
    assert (live.challenger, live.challenger_share) == (two, 0.75)


def test_an_upgraded_recognizer_is_asked_about_everything_anew(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    captures = photos(project, 1)
    one = version(project.site, tmp_path, "one")
    services.promote(one, by=None, reason="")
    follow()
    machine.describer = "thumbnail-2"
    with pytest.raises(outbox.TryLater):
        suggestions.suggest(captures)
    assert not PictureDescription.objects.exists()
    before = Suggestion.objects.count()
    assert suggestions.suggest(captures) == 1
    assert Suggestion.objects.count() == before + 1
    assert models_of(captures) == [one]


def test_jobs_that_were_killed_go_on(
    project: Project, machine: ThumbnailRecognizer, tmp_path: Path
) -> None:
    photos(project, 2)
    one = version(project.site, tmp_path, "one")
    job = services.start_promotion(one, by=None, reason="")
    progress = jobs.Progress(job)
    first = rollout.run_promotion(job, progress)
    assert first["seen"] == 2
    again = rollout.run_promotion(job, jobs.Progress(Job.objects.get(pk=job.pk)))
    assert again["revision"] == first["revision"], "it had promoted before it was killed"
    assert LiveModel.objects.get().revision == 1
