"""Statements that are compiled once and asked with other values."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from unittest.mock import patch

import pytest
from django.db import connection, transaction
from django.db.models import F, OuterRef
from django.db.models.sql.compiler import SQLCompiler
from django.db.transaction import TransactionManagementError

from annotator.accounts.models import Membership, Project, Site
from annotator.accounts.states import Role
from annotator.core.rows import Rows
from annotator.core.statements import Statement
from tests import factories


@pytest.fixture
def projects(db: None) -> list[Project]:
    site = factories.SiteFactory(name="一号仓")
    return [factories.ProjectFactory(site=site, slug=f"p{n}") for n in range(5)]


def compiled() -> Any:
    """Counts how often Django compiles a SELECT."""
    return patch.object(SQLCompiler, "as_sql", autospec=True, side_effect=SQLCompiler.as_sql)


def test_other_values_are_asked_without_compiling_again(projects: list[Project]) -> None:
    named = Statement[Project](
        lambda slug: Project.objects.filter(slug=slug).select_related("site")
    )
    with compiled() as count:
        found = [named(slug=p.slug) for p in projects]
    assert count.call_count == 1
    assert [[row.pk for row in rows] for rows in found] == [[p.pk] for p in projects]
    assert found[3][0].site.name == "一号仓"
    assert named(slug="nothing") == []


def test_sets_of_any_size_flags_and_nothing(projects: list[Project]) -> None:
    chosen = Statement[int](
        lambda ids, archived: Project.objects.filter(
            pk__in=ids, archived_at__isnull=not archived
        ).values_list("pk", flat=True)
    )
    ids = [p.pk for p in projects]
    for size in range(len(ids) + 1):
        assert sorted(chosen(ids=ids[:size], archived=False)) == ids[:size]
    assert chosen(ids=ids, archived=True) == []
    with compiled() as count:
        assert sorted(chosen(ids=ids[2:], archived=False)) == ids[2:]
    assert not count.call_count, "three ids stand where four did"


def test_rows_and_querysets(projects: list[Project]) -> None:
    sites = Statement[dict[str, Any]](
        lambda sites: Site.objects.filter(pk__in=sites).values(
            found=Rows(Project.objects.filter(site=OuterRef("pk")).order_by("pk"), slug="slug")
        )
    )
    expected = [{"found": [{"slug": p.slug} for p in projects]}]
    assert sites(sites=[projects[0].site_id]) == expected
    assert sites(sites=Site.objects.all()) == expected


def test_a_value_that_sql_never_sees_is_refused(projects: list[Project]) -> None:
    doubled: Callable[[int], Any] = lambda pk: Project.objects.filter(pk=pk * 2)  # noqa: E731
    with pytest.raises(ValueError, match="do not reach"):
        Statement[Project](doubled)(pk=projects[0].pk)


@pytest.mark.django_db(transaction=True)
def test_locks_want_a_transaction() -> None:
    project = factories.ProjectFactory()
    locked = Statement[Project](lambda pk: Project.objects.select_for_update().filter(pk=pk))
    with transaction.atomic():
        assert [row.pk for row in locked(pk=project.pk)] == [project.pk]
    with pytest.raises(TransactionManagementError):
        locked(pk=project.pk)


@pytest.mark.django_db(transaction=True)
def test_threads_share_a_statement() -> None:
    projects = [factories.ProjectFactory(slug=f"p{n}") for n in range(4)]
    people = {p.pk: factories.member(p.site, Role.ANNOTATOR) for p in projects}
    rows = Statement[Membership](
        lambda site: Membership.objects.filter(site=site).annotate(at=F("site__name"))
    )

    def ask(n: int) -> bool:
        project = projects[n % 4]
        try:
            return {row.user_id for row in rows(site=project.site_id)} == {people[project.pk].pk}
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        assert all(pool.map(ask, range(40)))
