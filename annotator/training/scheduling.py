"""Runs that start by themselves."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Project, Site, User
from annotator.core import audit
from annotator.core.errors import Conflict, EditConflict, FieldError, Invalid
from annotator.core.validation import checked

from . import champions, policies, queries, services
from .models import GateSettings, Schedule, TrainingRun

log = logging.getLogger(__name__)

SCHEDULE_FIELDS = (
    "project", "enabled", "method", "arguments", "timezone", "hour", "weekday", "new_decisions",
    "drift_fall",
)  # fmt: skip
GATE_FIELDS = (
    "margin", "field_fall", "category_fall", "tail_fall", "gold_fall", "min_photos", "auto_promote",
)  # fmt: skip


def start_due(now: datetime | None = None) -> list[TrainingRun]:
    """Start the runs that are due. Running it twice at once starts each once: a schedule is locked
    while it is looked at, and a site has one run at a time."""
    at = now or timezone.now()
    started = []
    for pk in list(Schedule.objects.filter(enabled=True).values_list("pk", flat=True)):
        with transaction.atomic():
            run = _start_if_due(pk, at)
        if run is not None:
            started.append(run)
    return started


def _start_if_due(pk: int, now: datetime) -> TrainingRun | None:
    rows = Schedule.objects.select_for_update().filter(pk=pk, enabled=True)
    schedule = rows.first()
    if schedule is None:
        return None
    slot = policies.last_slot(schedule, now)
    found = policies.due(schedule, facts_of(schedule, now), now)
    run = None
    if found is not None:
        trigger, facts = found
        try:
            run = services.start_run(
                project=schedule.project,
                method=schedule.method,
                arguments=schedule.arguments,
                trigger=trigger,
                facts=facts,
            )
        except Conflict as error:
            # One is at work: what is due stays due.
            log.info("No scheduled run on site %s: %s", schedule.site_id, error.code)
            return None
    if slot != schedule.last_slot:
        schedule.last_slot = slot
        schedule.save(update_fields=["last_slot"])
    return run


def facts_of(schedule: Schedule, now: datetime) -> policies.Facts:
    """What the schedule looks at."""
    last = queries.last_run(schedule.project_id)
    new = queries.decisions_since(schedule.project_id, last.decisions_up_to if last else 0)
    after = recent = policies.Acceptance()
    since = champions.live_since(schedule.site_id) if schedule.drift_fall is not None else None
    window = policies.DRIFT_WINDOW
    if since is not None and now - since >= 2 * window:
        after = queries.accepted_between(schedule.project_id, since, since + window)
        recent = queries.accepted_between(schedule.project_id, now - window, now)
    return policies.Facts(new, last.created_at if last else None, after, recent)


def schedule_of(site: Site) -> Schedule:
    """A site's schedule; one that is off, of its first project and not saved, where there is none."""
    found = Schedule.objects.filter(site=site).first()
    if found is not None:
        return found
    project = Project.objects.filter(site=site).order_by("pk").first()
    return Schedule(site=site, project=project, enabled=False, version=0)


def set_schedule(
    *, site: Site, values: Mapping[str, Any], seen: int | None, actor: User
) -> Schedule:
    """Write a site's schedule. The clock counts from now on: a time that has passed is not made up
    for. Raises EditConflict when ``seen`` is not the version that stands, and Invalid."""
    project = values["project"]
    if not Project.objects.filter(pk=project.pk, site=site).exists():
        raise Invalid([FieldError("project", "not_found")])
    policies.zone_of(values["timezone"])
    given = {**values, "arguments": policies.check_arguments(values["arguments"])}
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        new = schedule_of(site)
        _check_seen(seen, new.version)
        for name in SCHEDULE_FIELDS:
            setattr(new, name, given[name])
        checked(new)
        new.last_slot = policies.last_slot(new, timezone.now())
        new.version += 1
        new.save()
        said = {**{k: v for k, v in given.items() if k != "project"}, "project": project.pk}
        audit.record(
            action="training.scheduled", on=new, actor=actor, site_id=site.pk, settings=said
        )
    return new


def set_gate(
    *, site: Site, values: Mapping[str, Any], seen: int | None, actor: User
) -> GateSettings:
    """Write what a site's challengers must reach. Raises EditConflict and Invalid."""
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=site.pk)
        row = GateSettings.objects.filter(site=site).first() or GateSettings(site=site, version=0)
        _check_seen(seen, row.version)
        for name in GATE_FIELDS:
            setattr(row, name, values[name])
        checked(row)
        row.version += 1
        row.save()
        audit.record(
            action="training.gate_set", on=row, actor=actor, site_id=site.pk, settings=dict(values)
        )
    return row


def _check_seen(seen: int | None, version: int) -> None:
    if seen is not None and seen != version:
        raise EditConflict()
