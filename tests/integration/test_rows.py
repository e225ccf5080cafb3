"""Small tools of the database: rows as JSON, audit entries together, writers of SQLite in a queue."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from django.db import connection, transaction
from django.db.models import OuterRef

from annotator.accounts.models import Membership, Project, Site
from annotator.accounts.states import Role
from annotator.core import audit
from annotator.core.models import AuditEntry
from annotator.core.rows import Rows
from annotator.core.sqlite.base import _Turns
from annotator.labeling.policies import MAX_OWED, in_turn
from annotator.media.models import StoredImage
from tests import factories


@pytest.mark.django_db
def test_rows_of_another_table_come_as_json() -> None:
    site, empty = factories.SiteFactory(name="“一号”仓"), factories.SiteFactory()
    project = factories.ProjectFactory(site=site, schema={"fields": ["规格", None, 1.5, True]})
    projects = Project.objects.filter(site=OuterRef("pk")).order_by("pk")
    rows = Site.objects.annotate(
        of_site=Rows(projects, id="pk", data="schema", site="site__name", share="share")
    )
    expected = {"id": project.pk, "data": project.schema, "site": site.name, "share": 1.0}
    assert rows.get(pk=site.pk).of_site == [expected]
    assert rows.get(pk=empty.pk).of_site == []
    nothing = Site.objects.filter(pk=site.pk).values_list(
        Rows(StoredImage.objects.filter(pk__in=[]), id="pk")
    )
    assert not nothing.get()[0]


@pytest.mark.django_db
def test_roles_come_with_the_person() -> None:
    from annotator.accounts.queries import may_somewhere, sites_where, user_with_roles

    site, other = factories.SiteFactory(), factories.SiteFactory()
    person = factories.member(site, Role.ANNOTATOR, Role.REVIEWER)
    Membership.objects.create(user=person, site=other, role=Role.ADMIN)
    user = user_with_roles(person.pk)
    assert user is not None
    assert user.held == {
        site.pk: {Role.ANNOTATOR, Role.REVIEWER},
        other.pk: {Role.ADMIN},
    }
    assert list(sites_where(user, {Role.REVIEWER})) == [site]
    assert not sites_where(user, {Role.INTEGRATOR}).exists()
    assert may_somewhere(user, {Role.ADMIN}) and not may_somewhere(user, {Role.INTEGRATOR})
    assert user_with_roles(0) is None


@pytest.mark.django_db
def test_audit_entries_together_keep_their_order_or_vanish_together(
    django_assert_num_queries: Any,
) -> None:
    site = factories.SiteFactory()
    with django_assert_num_queries(1), audit.together():
        audit.record(action="one", on=site)
        with audit.together():
            audit.record(action="two", on=site)
    assert list(AuditEntry.objects.order_by("pk").values_list("action", flat=True)) == [
        "one",
        "two",
    ]

    def fail() -> None:
        with transaction.atomic(), audit.together():
            audit.record(action="three", on=site)
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    audit.record(action="four", on=site)
    assert AuditEntry.objects.count() == 3


def test_turns_are_given_in_the_order_of_asking() -> None:
    turns, order = _Turns(), list[int]()
    assert turns.take(0)
    assert not turns.take(0.01), "two at once"

    def wait(n: int) -> None:
        assert turns.take(120)
        order.append(n)
        turns.give()

    threads = []
    for n in range(5):
        threads.append(threading.Thread(target=wait, args=(n,)))
        threads[-1].start()
        while len(turns._waiting) <= n:
            pass
    turns.give()
    for thread in threads:
        thread.join()
    assert order == [0, 1, 2, 3, 4]
    assert turns.take(0)


@pytest.mark.django_db(transaction=True)
def test_a_failed_transaction_gives_its_turn_away() -> None:
    def fail() -> None:
        with transaction.atomic():
            factories.SiteFactory()
            raise RuntimeError

    for _ in range(2):
        with pytest.raises(RuntimeError):
            fail()
    done = []

    def write() -> None:
        with transaction.atomic():
            done.append(factories.SiteFactory().pk)
        connection.close()

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(120)
    assert done and Site.objects.filter(pk=done[0]).exists()


def test_projects_in_turn() -> None:
    shares, passed, served = {1: 2.0, 2: 1.0, 3: 0.5}, dict[int, float](), list[int]()
    for _ in range(70):
        first, then = next(iter(in_turn(shares, passed).items()))
        passed[first] = then
        served.append(first)
    counts = [served.count(pk) for pk in shares]
    assert all(abs(a - b) <= 1 for a, b in zip(counts, (40, 20, 10), strict=True)), counts
    # A new project starts level; one that had no work for long makes up for some tasks at most.
    shares[4] = 1.0
    assert in_turn(shares, passed)[4] == min(passed.values()) + 1.0
    passed[4], streak = 0.0, 0
    while next(iter(in_turn(shares, passed))) == 4:
        passed[4] = in_turn(shares, passed)[4]
        streak += 1
    assert MAX_OWED - 2 <= streak <= MAX_OWED + 1
    assert in_turn({}, passed) == {}
