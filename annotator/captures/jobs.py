"""Taking in as a job: a zip, a list of addresses, a named S3 source. Resumed where it stopped."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import PurePath
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from annotator.accounts.models import Project, Site, User
from annotator.core import events, jobs
from annotator.core.errors import DomainError
from annotator.core.models import Job, JobState

from .intake import Incoming, clean_name, take_in_all
from .services import count
from .sources import addresses, archive, bucket

TAKE_IN = "take_in"


def start_zip(
    *,
    site: Site,
    file: File[Any],
    name: str,
    project: Project | None = None,
    batch: int | None = None,
    cam_type: str = "",
    actor: User | None = None,
) -> Job:
    """Keep an uploaded zip and take its members in. Raises DomainError for what is no zip, or when
    the project takes nothing in."""
    archive.members_of(file, name=name)
    _check_destination(project, batch)
    stored = default_storage.save(f"{site.pk}/incoming/{uuid.uuid4().hex}.zip", file)
    name = PurePath(clean_name(name)).name
    return _start(site, project, batch, actor, cam_type, zip=stored, name=name)


def start_urls(
    *,
    site: Site,
    urls: Sequence[str],
    project: Project | None = None,
    batch: int | None = None,
    cam_type: str = "",
    actor: User | None = None,
) -> Job:
    """Fetch files from addresses. Raises DomainError when the project takes nothing in."""
    _check_destination(project, batch)
    return _start(site, project, batch, actor, cam_type, urls=list(urls))


def start_source(
    *,
    site: Site,
    source: str,
    project: Project | None = None,
    batch: int | None = None,
    cam_type: str = "",
    actor: User | None = None,
) -> Job:
    """Take in what lies in a source that the operator named. Raises DomainError without it, or when
    the project takes nothing in."""
    bucket.named(source, site=site.slug)
    _check_destination(project, batch)
    return _start(site, project, batch, actor, cam_type, source=source)


def _check_destination(project: Project | None, batch: int | None) -> None:
    """Refuse now what would fail at the job's first photo."""
    if project is not None:
        with transaction.atomic():
            events.publish("intake.asked", project=project, batch=batch)


def _start(
    site: Site,
    project: Project | None,
    batch: int | None,
    actor: User | None,
    cam_type: str,
    **params: Any,
) -> Job:
    return jobs.start(
        kind=TAKE_IN,
        site_id=site.pk,
        project_id=project.pk if project else None,
        params={**params, "batch": batch, "cam_type": cam_type},
        actor=actor,
    )


def run_take_in(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: its files in batches, with a checkpoint after each."""
    try:
        result = _run(job, progress)
    except (jobs.Cancelled, DomainError):
        _clear(job)
        raise
    _clear(job)
    return result


def _run(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    site = Site.objects.get(pk=job.site_id)
    project = Project.objects.get(pk=job.project_id) if job.project_id else None
    state = progress.state
    at, key = state.get("at", 0), state.get("key", "")
    with _files(job.params, site, at, key) as (files, source, total):
        progress.total(total)
        batches = take_in_all(
            site=site,
            files=files,
            source=source,
            project=project,
            batch=job.params.get("batch"),
            actor=job.created_by,
        )
        for batch in batches:
            at += len(batch)
            key = batch[-1].about or ""
            progress.advance(len(batch), **count(batch))
            progress.checkpoint({"at": at, "key": key})
    return {"files": at}


@contextmanager
def _files(
    params: Mapping[str, Any], site: Site, at: int, key: str
) -> Iterator[tuple[Iterator[Incoming], str, int | None]]:
    """The files of a job from where it goes on, their source, and how many there are in all."""
    cam_type = params.get("cam_type", "")
    if "zip" in params:
        with default_storage.open(params["zip"]) as file:
            total = archive.count_members(file)
            members = archive.members_of(file, name=params["name"], cam_type=cam_type)
            yield islice(members, at, None), "zip", total
    elif "urls" in params:
        urls = params["urls"]
        yield addresses.files_at(urls[at:], cam_type=cam_type), "url", len(urls)
    else:
        place = bucket.named(params["source"], site=site.slug)
        yield bucket.objects_in(place, after=key, cam_type=cam_type), "s3", None


def _clear(job: Job) -> None:
    """Delete the zip of a job that has ended, and those of jobs that were cancelled unseen."""
    ended = Job.objects.filter(
        kind=TAKE_IN, site_id=job.site_id, state__in=(JobState.CANCELLED, JobState.FAILED)
    ).order_by("-pk")[:20]
    for one in [job, *ended]:
        if "zip" in one.params:
            default_storage.delete(one.params["zip"])
