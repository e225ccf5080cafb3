"""Two people always click at once: threads against the real database."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection

from annotator.accounts.models import Project
from annotator.accounts.states import Role
from annotator.core.errors import Conflict
from annotator.core.idempotency import answer_once
from annotator.labeling import services
from annotator.labeling.models import Annotation, Assignment, Task
from annotator.review.models import Decision
from annotator.review.services import claim_dispute
from tests import factories
from tests.acting import at_once

pytestmark = pytest.mark.django_db(transaction=True)

# SQLite has one writer at a time; PostgreSQL is where a crowd meets.
ANNOTATORS = 32 if connection.vendor == "postgresql" else 8
TASKS = 2 * ANNOTATORS


def submit(assignment: Assignment, quantity: str = "2箱") -> Annotation:
    annotation, _ = services.submit_annotation(
        assignment=assignment,
        annotator=assignment.annotator,
        token=assignment.token,
        fields={**factories.GOOD_FIELDS, "quantity": quantity},
        boxes=[],
        attributes={},
        active_seconds=1,
    )
    return annotation


def test_a_team_at_once_gets_every_task_right() -> None:
    project = factories.ProjectFactory()
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(ANNOTATORS)]
    factories.TaskFactory.create_batch(TASKS, project=project)

    def work(person: Any) -> Callable[[], int]:
        def run() -> int:
            done = 0
            while assignment := services.next_assignment(project=project, annotator=person):
                submit(assignment)
                done += 1
            return done

        return run

    results = at_once(*[work(person) for person in people])
    assert not [r for r in results if isinstance(r, Exception)], results
    answers = Annotation.objects.values_list("task", "author")
    # Nobody twice on a task, no task to more people than its overlap, nothing lost or doubled.
    assert len(set(answers)) == len(answers) == sum(results)
    per_task = Counter(task for task, _ in answers)
    assert set(per_task.values()) <= {project.overlap}
    assert len(per_task) == TASKS, "a task was left lying"
    assert Task.objects.filter(state="decided").count() == TASKS
    assert Decision.objects.count() == TASKS
    assert not Task.objects.exclude(places_left=0).exists()


def test_the_last_place_goes_to_one_person() -> None:
    project = factories.ProjectFactory(overlap=1)
    people = [factories.member(project.site, Role.ANNOTATOR) for _ in range(6)]
    factories.TaskFactory(project=project)
    got = at_once(
        *[
            lambda person=person: services.next_assignment(project=project, annotator=person)
            for person in people
        ]
    )
    assert not [g for g in got if isinstance(g, Exception)], got
    assert sum(g is not None for g in got) == 1
    assert Assignment.objects.filter(state="active").count() == 1


def test_two_tabs_of_one_person_share_a_lease() -> None:
    project = factories.ProjectFactory()
    person = factories.member(project.site, Role.ANNOTATOR)
    factories.TaskFactory.create_batch(5, project=project)
    got = at_once(
        *[lambda: services.next_assignment(project=project, annotator=person) for _ in range(4)]
    )
    assert len({assignment.pk for assignment in got}) == 1


def test_the_last_two_submits_settle_once() -> None:
    project = factories.ProjectFactory()
    a, b = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    for _ in range(5):
        task = factories.TaskFactory(project=project)
        first = services.next_assignment(project=project, annotator=a)
        second = services.next_assignment(project=project, annotator=b)
        assert first and second
        results = at_once(lambda f=first: submit(f), lambda s=second: submit(s))
        assert all(isinstance(r, Annotation) for r in results), results
        task.refresh_from_db()
        assert (task.state, task.answers) == ("decided", 2)
        assert Decision.objects.filter(task=task).count() == 1


def test_the_same_submit_at_once_is_one() -> None:
    project = factories.ProjectFactory()
    person = factories.member(project.site, Role.ANNOTATOR)
    factories.TaskFactory(project=project)
    assignment = services.next_assignment(project=project, annotator=person)
    assert assignment is not None

    def once() -> Any:
        return answer_once(
            user_id=person.pk,
            key="k",
            request={"a": 1},
            act=lambda: (201, {"id": submit(assignment).pk}),
        )

    results = at_once(once, once, once, once)
    assert not [r for r in results if isinstance(r, Exception)], results
    assert len({r[1]["id"] for r in results}) == 1
    assert Annotation.objects.count() == 1


def test_submitting_races_with_expiry() -> None:
    project: Project = factories.ProjectFactory(overlap=1)
    person = factories.member(project.site, Role.ANNOTATOR)
    for _ in range(5):
        task = factories.TaskFactory(project=project)
        assignment = services.next_assignment(project=project, annotator=person)
        assert assignment is not None
        late = assignment.expires_at + (assignment.expires_at - assignment.created_at)
        results = at_once(
            lambda a=assignment: submit(a), lambda at=late: services.expire_leases(now=at)
        )
        task.refresh_from_db()
        if isinstance(results[0], Annotation):
            assert (task.state, results[1]) == ("decided", 0)
        else:
            assert isinstance(results[0], Conflict)
            assert (task.state, task.places_left) == ("ready", 1)
            task.delete()


def test_one_reviewer_gets_the_dispute() -> None:
    project = factories.ProjectFactory()
    a, b = (factories.member(project.site, Role.ANNOTATOR) for _ in range(2))
    task = factories.TaskFactory(project=project)
    for person, quantity in ((a, "1箱"), (b, "2箱")):
        assignment = services.next_assignment(project=project, annotator=person)
        assert assignment is not None
        submit(assignment, quantity)
    reviewers = [factories.member(project.site, Role.REVIEWER) for _ in range(4)]
    results = at_once(
        *[lambda r=reviewer: claim_dispute(task=task, reviewer=r) for reviewer in reviewers]
    )
    assert sum(isinstance(r, Conflict) for r in results) == 3, results
