"""Adaptive overlap: when the second annotator is spared, and what is learned from those who are not."""

from __future__ import annotations

from typing import Any

import pytest
from django.utils import timezone

from annotator.accounts.models import Project, User
from annotator.accounts.states import Role
from annotator.core.models import AuditEntry
from annotator.labeling import risk
from annotator.labeling.models import Standing, Task, Trial, Trust
from annotator.quality import queries
from annotator.review import spotting, trials
from annotator.review.models import Decision, SpotCheck
from tests import factories
from tests.acting import submit, take
from tests.conftest import Api

pytestmark = pytest.mark.django_db

LIMIT = 0.02


@pytest.fixture
def project() -> Project:
    return factories.ProjectFactory(quality={"single_limit": LIMIT, "audit_share": 0.05})


@pytest.fixture(autouse=True)
def chance(monkeypatch: pytest.MonkeyPatch) -> dict[str, bool]:
    """Whether chance has a task answered twice."""
    drawn = {"drawn": False}
    monkeypatch.setattr(
        "annotator.labeling.sparing.is_drawn", lambda task_id, share: drawn["drawn"]
    )
    return drawn


def trust(project: Project, threshold: float | None = 0.9, **more: Any) -> Trust:
    return Trust.objects.create(
        project=project, model_version="m", schema_version=1, limit=LIMIT, threshold=threshold,
        checked_at=timezone.now(), **more,
    )  # fmt: skip


def proposed(project: Project, n: int = 1, confidence: float = 0.95) -> list[Task]:
    """Tasks for which the machine proposes just what ``submit`` answers unless told otherwise."""
    sku = factories.SkuFactory._meta.model.objects.filter(site=project.site, code="SKU-A").first()
    sku = sku or factories.SkuFactory(
        site=project.site, code="SKU-A", code_key="sku-a", spec="500ml×6瓶/箱"
    )
    return factories.alike_tasks(project, sku, n, confidence=confidence)


def person(project: Project, role: Role = Role.ANNOTATOR) -> User:
    return factories.member(project.site, role)


def test_off_nothing_is_different(project: Project) -> None:
    project.quality = {}
    project.save()
    trust(project)
    [task] = proposed(project)
    held = take(Api(person(project)), project)
    task.refresh_from_db()
    assert (task.overlap, task.places_left) == (2, 1) and held["task"]["id"] == task.pk
    assert not Trial.objects.exists()


def test_one_answer_that_agrees_with_the_machine_decides(project: Project) -> None:
    trust(project)
    [task] = proposed(project)
    api, other = Api(person(project)), Api(person(project))
    held = take(api, project)
    assert other.post(f"/projects/{project.pk}/next").status_code == 204, "nobody else is asked"
    answer = submit(api, held)
    assert answer.json()["task_state"] == "labeling", "its author is told nothing"
    task.refresh_from_db()
    decision = Decision.objects.get(task=task)
    assert (task.state, decision.source, decision.sku_code) == ("decided", "single", "SKU-A")
    assert AuditEntry.objects.filter(action="decision.single").count() == 1
    trials.follow([{"task": task.pk}])
    assert Trial.objects.get().counted is False, "an answer that stands alone teaches nothing"


def test_one_that_does_not_agree_goes_to_a_reviewer_not_to_another(project: Project) -> None:
    """Whoever might be asked next would learn from being asked that the first one disagreed."""
    trust(project)
    [task] = proposed(project)
    api, other = Api(person(project)), Api(person(project))
    submit(api, take(api, project), sku="SKU-B")
    task.refresh_from_db()
    assert task.state == "disputed"
    assert task.dispute.reasons[0]["code"] == "machine_differs"
    assert other.post(f"/projects/{project.pk}/next").status_code == 204


@pytest.mark.parametrize(
    "why", ["no certificate", "unsure", "drawn", "another model", "another schema", "too old", "third"]
)  # fmt: skip
def test_otherwise_two_are_asked(project: Project, chance: dict[str, bool], why: str) -> None:
    row = trust(project, None if why == "no certificate" else 0.9)
    confidence = 0.8 if why == "unsure" else 0.95
    if why == "another model":
        Trust.objects.update(model_version="n")
    if why == "another schema":
        Trust.objects.update(schema_version=2)
    if why == "too old":
        Trust.objects.update(checked_at=timezone.now() - timezone.timedelta(days=91))
    chance["drawn"] = why == "drawn"
    [task] = proposed(project, confidence=confidence)
    user = person(project)
    if why == "third":
        Standing.objects.create(project=project, annotator=user, third=True)
    api, other = Api(user), Api(person(project))
    submit(api, take(api, project))
    task.refresh_from_db()
    assert task.state == "labeling" and task.places_left >= 1
    submit(other, take(other, project))
    if why != "third":
        trial, decision = Trial.objects.get(), Decision.objects.get()
        assert decision.source == "agreed"
        assert trial.counted is (why not in ("unsure",)), row
        trials.follow([{"task": task.pk}])
        trial.refresh_from_db()
        assert (trial.agrees, trial.wrong) == (True, False)


def test_who_is_right_more_often_is_asked_alone_more_often(project: Project) -> None:
    trust(project, 0.97)
    first, _ = proposed(project, 2)
    new, known = person(project), person(project)
    Standing.objects.create(project=project, annotator=known, skill=0.9)
    take(Api(new), project)
    take(Api(known), project)
    assert {t.annotator_id: t.alone for t in Trial.objects.all()} == {new.pk: False}
    first.refresh_from_db()
    assert first.places_left == 0, "the first task is asked of both"
    third = person(project)
    Standing.objects.create(project=project, annotator=third, skill=0.9)
    take(Api(third), project)
    assert Trial.objects.get(annotator=third).alone


def test_a_certificate_that_lapsed_meanwhile_asks_a_second_after_all(project: Project) -> None:
    row = trust(project)
    [task] = proposed(project)
    api, other = Api(person(project)), Api(person(project))
    held = take(api, project)
    row.threshold = None
    row.save()
    submit(api, held)
    task.refresh_from_db()
    assert (task.state, task.overlap, task.places_left) == ("labeling", 2, 1)
    submit(other, take(other, project))
    assert Decision.objects.get().source == "agreed"


def test_given_back_it_is_settled_anew_for_the_next(
    project: Project, chance: dict[str, bool]
) -> None:
    trust(project)
    [task] = proposed(project)
    api, other = Api(person(project)), Api(person(project))
    held = take(api, project)
    api.post(f"/assignments/{held['id']}/release", {"token": held["token"]})
    task.refresh_from_db()
    assert task.state == "ready" and task.places_left == 1
    chance["drawn"] = True
    take(other, project)
    task.refresh_from_db()
    assert (task.overlap, task.places_left) == (2, 1)
    assert not Trial.objects.get().alone


def test_it_can_be_withdrawn_like_any_answer(project: Project) -> None:
    trust(project)
    proposed(project)
    api = Api(person(project))
    done = submit(api, take(api, project)).json()["annotation"]["id"]
    back = api.post(f"/annotations/{done}/withdraw")
    assert back.status_code == 200
    assert not Decision.objects.filter(superseded_at=None).exists()
    submit(api, back.json()["assignment"])
    assert Decision.objects.get(superseded_at=None).source == "single"


def test_spot_checks_look_at_them_more_and_they_make_no_gold(project: Project) -> None:
    project.quality |= {"spot_most": 1.0}
    project.save()
    trust(project)
    [task] = proposed(project)
    api = Api(person(project))
    submit(api, take(api, project))
    spotting.draw([{"task": task.pk}])
    check = SpotCheck.objects.get()
    assert check.stratum == "single"
    Task.objects.create(project=project, scene=task.scene, state="gold", overlap=2, places_left=0)
    spotting.know_gold([{"task": task.pk}])
    assert not Task.objects.filter(state="gold", truth__isnull=False).exists()


def audits(project: Project, n: int, wrong: int = 0, confidence: float = 0.95) -> None:
    """So many audits, settled; the last ``wrong`` ones were wrong."""
    sku = factories.SkuFactory(site=project.site)
    [one] = factories.alike_tasks(project, sku, 1, confidence=confidence)
    suggestion = one.scene.captures.get().suggestions.get()
    scenes = factories.SceneFactory._meta.model.objects.bulk_create(
        factories.SceneFactory.build(site=project.site, key=f"a{Trial.objects.count()}-{i}")
        for i in range(n)
    )
    tasks = Task.objects.bulk_create(
        Task(project=project, scene=s, state="decided", overlap=2, places_left=0) for s in scenes
    )
    user = person(project)
    Trial.objects.bulk_create(
        Trial(
            task=task, project=project, annotator=user, suggestion=suggestion, score=confidence,
            model_version="m", schema_version=1, alone=False, counted=True, agrees=True,
            wrong=i >= n - wrong,
        )
        for i, task in enumerate(tasks)
    )  # fmt: skip


def test_audits_earn_a_certificate_and_lose_it(project: Project) -> None:
    audits(project, risk.GRID_FROM)
    row = trials.look(project, "m")
    assert row.grid == [0.95] and row.threshold is None
    need = 300  # (1 - .02)^300 < .05 / 10
    audits(project, need)
    assert trials.look(project, "m").threshold is None, "the newest ripen first"
    audits(project, risk.step(LIMIT))
    row = trials.look(project, "m")
    assert row.threshold == 0.95 and row.errors == 0 and row.bound is not None
    assert row.bound <= LIMIT and row.audits == need
    figures = queries.report(project)["overlap"]
    assert (figures["threshold"], figures["audits"]) == (95.0, need)
    audits(project, 4, wrong=4)
    row = trials.look(project, "m")
    assert row.threshold is None and row.alarmed_at is not None
    actions = AuditEntry.objects.filter(action__startswith="overlap.")
    assert [a.action for a in actions.order_by("pk")] == ["overlap.certified", "overlap.alarmed"]
    audits(project, need)
    assert trials.look(project, "m").threshold is None, "only what came after the alarm counts"


def test_an_audit_that_a_reviewer_decided_otherwise_was_wrong(project: Project) -> None:
    [task] = proposed(project)
    api, other = Api(person(project)), Api(person(project))
    submit(api, take(api, project))
    submit(other, take(other, project), quantity="3箱")
    trials.follow([{"task": task.pk}])
    assert Trial.objects.get().wrong is True, "until somebody says otherwise"
    reviewer = Api(person(project, Role.REVIEWER))
    claim = reviewer.post(f"/tasks/{task.pk}/dispute").json()["claim"]
    decided = reviewer.post(
        f"/tasks/{task.pk}/decide",
        {"token": claim["token"], "fields": factories.GOOD_FIELDS, "boxes": [], "attributes": {}},
    )
    assert decided.status_code == 200, decided.content
    trials.follow([{"task": task.pk}])
    assert Trial.objects.get().wrong is False
