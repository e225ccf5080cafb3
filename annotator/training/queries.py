"""What is known of a site's learning: runs, decisions, and how its suggestions are taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.db.models import Count, Max, QuerySet, Sum

from annotator.accounts.models import Site
from annotator.quality.models import Dimension, Rollup
from annotator.review.models import Decision

from .gates import Rules
from .models import GateSettings, TrainingRun
from .policies import Acceptance


def runs_of(site: Site | int) -> QuerySet[TrainingRun]:
    """A site's runs, with what a list shows of them."""
    return runs_on([site if isinstance(site, int) else site.pk])


def runs_on(sites: Sequence[int]) -> QuerySet[TrainingRun]:
    """As :func:`runs_of`, of several sites."""
    rows = TrainingRun.objects.filter(site__in=sites)
    return rows.select_related("requested_by", "version", "champion")


def latest_decision(project_id: int) -> int | None:
    """The id of the project's latest standing decision."""
    rows = Decision.objects.filter(task__project=project_id, superseded_at=None)
    latest: int | None = rows.aggregate(latest=Max("pk"))["latest"]
    return latest


def decisions_since(project_id: int, after: int) -> int:
    """How many standing decisions of the project came after the one numbered ``after``."""
    rows = Decision.objects.filter(task__project=project_id, superseded_at=None, pk__gt=after)
    return rows.count()


def decided_by_sku(site_id: int) -> Counter[str]:
    """How many tasks of the site were decided to show each SKU."""
    rows = (
        Decision.objects.filter(task__project__site=site_id, superseded_at=None)
        .exclude(sku_code="")
        .order_by()
        .values_list("sku_code")
        .annotate(n=Count("pk"))
    )
    return Counter(dict(rows))


def accepted_between(project_id: int, since: datetime, until: datetime) -> Acceptance:
    """How often suggestions were taken as they were, by the days of the answers."""
    rows = Rollup.objects.filter(
        project=project_id,
        dimension=Dimension.ALL,
        metric="accepted",
        day__gte=since.date(),
        day__lt=until.date() + timedelta(days=1),
    )
    found = rows.aggregate(n=Sum("n"), total=Sum("total"))
    return Acceptance(found["n"] or 0, found["total"] or 0)


def gate_of(site: Site | int) -> GateSettings:
    """A site's gate settings; the defaults, unsaved, where it has none of its own."""
    pk = site if isinstance(site, int) else site.pk
    return GateSettings.objects.filter(site=pk).first() or GateSettings(site_id=pk, version=0)


def rules_of(gate: GateSettings) -> Rules:
    """As the gate takes them."""
    return Rules(
        margin=gate.margin,
        field_fall=gate.field_fall,
        category_fall=gate.category_fall,
        tail_fall=gate.tail_fall,
        gold_fall=gate.gold_fall,
        min_photos=gate.min_photos,
    )


def last_run(project_id: int) -> TrainingRun | None:
    """The project's latest run, however it ended: what failed or was cancelled is not asked for
    again for the same decisions."""
    return TrainingRun.objects.filter(project=project_id).order_by("-pk").first()
