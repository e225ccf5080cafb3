"""What must hold of the queue whatever people do, in whatever order: overlap 1, 2 and 3, changes of
overlap on a live project, and counts that equal a scan."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.django import TestCase

from annotator.accounts.models import Project
from annotator.accounts.services import change_project
from annotator.accounts.states import Role
from annotator.catalog.models import Category
from annotator.core import outbox
from annotator.core.models import Job
from annotator.labeling import counting, queries, services
from annotator.labeling.models import Annotation, Assignment, Task, TaskCount
from annotator.labeling.states import OPEN_STATES, AssignmentState, SkipReason, TaskState
from annotator.labeling.tasks import compact_counts
from annotator.review.models import Decision
from tests import factories
from tests.integration.test_concurrency import at_once

QUANTITIES = ("2箱", "3箱")


def scan() -> Counter[tuple[Any, ...]]:
    """The counts, by looking at every task."""
    return Counter(
        (
            task.project_id,
            task.state,
            (task.category_id or 0) if vacant else 0,
            task.had if vacant else "",
        )
        for task in Task.objects.all()
        for vacant in [task.state in OPEN_STATES and task.places_left > 0]
    )


def counted() -> Counter[tuple[Any, ...]]:
    counts: Counter[tuple[Any, ...]] = Counter()
    for row in TaskCount.objects.all():
        counts[row.project_id, row.state, row.category_id, row.lane] += row.n
    assert min(counts.values(), default=0) >= 0
    return +counts


def check(project: Project) -> None:
    """Every invariant of the queue."""
    for task in Task.objects.filter(project=project):
        rows = list(task.assignments.all())
        holding = [r for r in rows if r.state in ("active", "submitted")]
        had = [r.annotator_id for r in rows if r.state in ("active", "submitted", "skipped")]
        assert len({r.annotator_id for r in holding}) == len(holding), "somebody twice"
        assert len(holding) <= max(task.overlap, project.overlap, 3)
        standing = task.annotations.filter(withdrawn_at=None).count()
        assert task.answers == standing == sum(r.state == "submitted" for r in rows)
        if task.state in OPEN_STATES:
            assert task.places_left == max(0, task.overlap - len(holding))
            assert sorted(map(int, filter(None, task.had.split(",")))) == sorted(had)
            assert task.answers < task.overlap
            assert (task.state == TaskState.LABELING) == bool(holding)
        if task.state == TaskState.DECIDED:
            assert Decision.objects.filter(task=task, superseded_at=None).count() == 1
    assert counted() == scan()


ACTIONS = st.lists(
    st.tuples(
        st.sampled_from(
            ["take", "submit", "submit", "skip", "release", "expire", "withdraw", "overlap"]
        ),
        st.integers(0, 3),
        st.integers(1, 3),
    ),
    max_size=30,
)


class WhateverPeopleDo(TestCase):
    @settings(max_examples=30)
    @given(overlap=st.integers(1, 3), actions=ACTIONS)
    def test_the_queue_stays_in_order(
        self, overlap: int, actions: list[tuple[str, int, int]]
    ) -> None:
        project = factories.ProjectFactory(overlap=overlap)
        people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(4)]
        admin = factories.member(project.site, Role.ADMIN)
        factories.TaskFactory.create_batch(3, project=project)
        for action, who, number in actions:
            act(project, action, people[who], number, admin)
            check(project)

    @settings(max_examples=12)
    @given(overlap=st.integers(1, 3), quantities=st.lists(st.sampled_from(QUANTITIES), min_size=3))
    def test_all_tasks_end_with_as_many_answers_as_asked_for(
        self, overlap: int, quantities: list[str]
    ) -> None:
        project = factories.ProjectFactory(overlap=overlap)
        people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(3)]
        factories.TaskFactory.create_batch(2, project=project)
        for person in people:
            for n in range(3):
                act(project, "take", person, 1, None)
                act(project, "submit", person, quantities.index(quantities[n]) + 1, None)
        assert set(Task.objects.filter(project=project).values_list("answers", flat=True)) == {
            overlap
        }
        settled = set(Task.objects.filter(project=project).values_list("state", flat=True))
        assert settled <= {"decided", "disputed"}
        check(project)


def act(project: Project, action: str, person: Any, number: int, admin: Any) -> None:
    held = Assignment.objects.filter(annotator=person, state=AssignmentState.ACTIVE).first()
    if action == "take":
        exclude = [held.pk] if held else []
        services.next_assignment(project=project, annotator=person, exclude=exclude)
    elif action == "overlap":
        change_project(project=project, changes={"overlap": number}, actor=admin)
        project.refresh_from_db()
        outbox.drain("bulk")
        assert not queries.behind_overlap(project.pk).exists()
    elif action == "expire":
        services.expire_leases(now=timezone.now() + timedelta(seconds=number * 300))
    elif action == "withdraw":
        last = Annotation.objects.filter(author=person, withdrawn_at=None).last()
        if last is not None and last.task.state in (TaskState.LABELING, TaskState.DECIDED):
            services.withdraw(annotation=last, author=person)
    elif held is not None:
        lease: dict[str, Any] = {"assignment": held, "annotator": person, "token": held.token}
        if action == "submit" and held.task.state == TaskState.LABELING:
            quantity = QUANTITIES[number % 2]
            fields = {**factories.GOOD_FIELDS, "quantity": quantity}
            services.submit_annotation(
                **lease, fields=fields, boxes=[], attributes={}, active_seconds=1
            )
        elif action == "skip":
            services.skip(**lease, reason=SkipReason.OTHER)
        elif action == "release":
            services.release(**lease)


# --- changing the overlap of a live project ----------------------------------------------------


@pytest.mark.django_db
def test_open_tasks_follow_the_overlap_and_settled_ones_stay() -> None:
    project = factories.ProjectFactory(overlap=3)
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(3)]
    admin = factories.member(project.site, Role.ADMIN)
    names = ("fresh", "held", "one", "two", "disputed")
    tasks = {
        name: factories.TaskFactory(project=project, value=9 - n) for n, name in enumerate(names)
    }
    tasks["new"] = factories.TaskFactory(project=project, state="new")
    settled = factories.TaskFactory(project=project, state="rejected", places_left=0)

    def hand(name: str, person: Any) -> Assignment:
        Task.objects.update(priority=0)
        Task.objects.filter(pk=tasks[name].pk).update(priority=1)
        assignment = services.next_assignment(project=project, annotator=person)
        assert assignment is not None and assignment.task_id == tasks[name].pk
        return assignment

    def answer(name: str, person: Any, quantity: str = "2箱") -> None:
        held = hand(name, person)
        fields = {**factories.GOOD_FIELDS, "quantity": quantity}
        services.submit_annotation(
            assignment=held, annotator=person, token=held.token, fields=fields, boxes=[],
            attributes={}, active_seconds=1,
        )  # fmt: skip

    answer("one", people[0])
    for person, quantity in zip(people[:2], QUANTITIES, strict=True):
        answer("two", person)
        answer("disputed", person, quantity)
    writes = hand("one", people[1])
    hand("held", people[2])

    def follow(overlap: int) -> Job:
        changes = {"overlap": overlap}
        change_project(project=project, changes=changes, actor=admin)
        outbox.drain("bulk")
        project.refresh_from_db()
        job = Job.objects.latest("pk")
        assert (job.kind, job.state) == ("follow_overlap", "done"), job.error
        check(project)
        return job

    job = follow(2)
    assert job.result == {"followed": 6, "settled": 2}

    def now(name: str) -> tuple[str, int, int]:
        task = Task.objects.get(pk=tasks[name].pk)
        return task.state, task.answers, task.places_left

    assert now("fresh") == ("ready", 0, 2)
    assert now("new") == ("new", 0, 2)
    assert now("held") == ("labeling", 0, 1)
    assert now("one") == ("labeling", 1, 0)
    assert now("two") == ("decided", 2, 0)
    assert now("disputed") == ("disputed", 2, 0)
    follow(1)
    # The answer that is there is enough; who was writing another is told so.
    assert now("one")[:2] == ("decided", 1)
    writes.refresh_from_db()
    assert writes.state == AssignmentState.RELEASED
    assert now("held") == ("labeling", 0, 0)
    follow(3)
    assert now("held") == ("labeling", 0, 2)
    assert now("fresh") == ("ready", 0, 3)
    assert now("one")[0] == "decided"
    settled.refresh_from_db()
    assert (settled.state, settled.overlap) == ("rejected", 3)


@pytest.mark.django_db
def test_thousands_follow_in_slices() -> None:
    project = factories.ProjectFactory(overlap=2)
    admin = factories.member(project.site, Role.ADMIN)
    scenes = factories.SceneFactory.create_batch(1203, site=project.site)
    Task.objects.bulk_create(
        Task(project=project, scene=scene, state="ready", overlap=2, places_left=2)
        for scene in scenes
    )
    change_project(project=project, changes={"overlap": 3}, actor=admin)
    outbox.drain("bulk")
    assert set(Task.objects.values_list("overlap", "places_left")) == {(3, 3)}
    job = Job.objects.get()
    assert (job.total, job.done, job.checkpoint["state"]) == (
        1203,
        1203,
        {"after": Task.objects.latest("pk").pk},
    )


# --- counts --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_counts_equal_a_scan_however_tasks_change() -> None:
    assert counted() == scan() == {}
    project, other = factories.ProjectFactory(), factories.ProjectFactory()
    category = Category.objects.create(site=project.site, name="饮料", path="饮料")
    scenes = factories.SceneFactory.create_batch(40, site=project.site)
    rows = [Task(project=project, scene=s, overlap=2, places_left=2) for s in scenes]
    Task.objects.bulk_create(rows)
    assert counted() == scan() == {(project.pk, "new", 0, ""): 40}
    Task.objects.bulk_create(
        [Task(project=project, scene=s, overlap=2, places_left=2) for s in scenes],
        ignore_conflicts=True,
    )
    assert counted() == scan()
    Task.objects.filter(pk__lte=rows[19].pk).update(state="ready", category=category)
    assert counted() == scan()
    Task.objects.filter(pk__lte=rows[9].pk).update(places_left=F("places_left") - 1, had=",7,")
    Task.objects.filter(pk__lte=rows[4].pk).update(state="decided", places_left=0)
    Task.objects.filter(pk=rows[30].pk).update(project=other)
    assert counted() == scan()
    assert counted()[project.pk, "ready", category.pk, ",7,"] == 5
    Task.objects.filter(pk__gt=rows[35].pk).delete()
    with connection.cursor() as cursor:
        cursor.execute("UPDATE labeling_task SET state = 'rejected' WHERE state = 'new'")
    assert counted() == scan()
    with transaction.atomic():
        Task.objects.all().delete()
        assert counted() == {}
        transaction.set_rollback(True)
    assert counted() == scan()
    before = counted()
    counting.compact()
    assert counted() == scan() == before
    assert TaskCount.objects.count() == len(before)
    states = queries.state_counts([project.pk, other.pk])
    assert states[project.pk]["decided"] == 5
    assert states[project.pk]["total"] == Task.objects.filter(project=project).count()
    project.delete()
    assert counted() == scan() and len(counted()) == 1


@pytest.mark.django_db(transaction=True)
def test_counts_of_writers_at_once_and_a_compaction_among_them() -> None:
    project = factories.ProjectFactory()
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(4)]
    factories.TaskFactory.create_batch(12, project=project)

    def work(person: Any) -> None:
        while assignment := services.next_assignment(project=project, annotator=person):
            services.submit_annotation(
                assignment=assignment, annotator=person, token=assignment.token,
                fields=factories.GOOD_FIELDS, boxes=[], attributes={}, active_seconds=1,
            )  # fmt: skip

    def compact() -> None:
        for _ in range(5):
            compact_counts()

    actions = [lambda person=person: work(person) for person in people]
    results = at_once(*actions, compact, compact)
    assert not [r for r in results if isinstance(r, Exception)], results
    assert counted() == scan() == {(project.pk, "decided", 0, ""): 12}


@pytest.mark.django_db(transaction=True)
def test_open_is_what_one_may_still_take() -> None:
    project = factories.ProjectFactory()
    a, b, _ = (factories.member(project.site, Role.ANNOTATOR) for _ in range(3))
    factories.TaskFactory.create_batch(3, project=project)
    assignment = services.next_assignment(project=project, annotator=a)
    assert assignment is not None

    def left(person: Any) -> int:
        progress = queries.my_progress([project.pk], person)
        return int(progress[project.pk]["open"])

    assert (left(a), left(b)) == (2, 3)
    services.skip(
        assignment=assignment, annotator=a, token=assignment.token, reason=SkipReason.OTHER
    )
    assert (left(a), left(b)) == (2, 3)
    Task.objects.filter(places_left=2, had=",").update(state="rejected")
    assert (left(a), left(b)) == (0, 1)


@pytest.mark.django_db(transaction=True)
def test_migrations_on_sqlite_put_the_triggers_back() -> None:
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER task_count_insert")
    task = factories.TaskFactory()
    assert counted() == {}
    counting.put_back(connection)
    assert counted() == scan() == {(task.project_id, "ready", 0, ","): 1}
    factories.TaskFactory(project=task.project)
    assert counted() == scan()
