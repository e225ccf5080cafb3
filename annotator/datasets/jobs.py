"""Exports that are made in the background and kept for a week."""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage

from annotator.accounts.models import Project, User
from annotator.core import jobs
from annotator.core.models import Job

from .export import decided, zip_stream

KIND = "export_dataset"


def start_export(*, project: Project, wanted: Mapping[str, Any], actor: User) -> Job:
    """Start making a zip of the decided tasks that ``wanted`` selects."""
    return jobs.start(
        kind=KIND,
        site_id=project.site_id,
        project_id=project.pk,
        params={"wanted": dict(wanted)},
        actor=actor,
    )


def run_export(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job. The result names the file in the storage and as it is downloaded."""
    assert job.project_id is not None
    project = Project.objects.select_related("site").get(pk=job.project_id)
    wanted = job.params["wanted"]
    progress.total(decided(project, wanted).count())
    with tempfile.TemporaryFile() as out:
        for chunk in zip_stream(project, wanted=wanted, tick=progress.advance):
            out.write(chunk)
        size = out.tell()
        out.seek(0)
        name = default_storage.save(f"{project.site_id}/exports/{job.pk}.zip", File(out))
    return {"file": name, "name": f"{project.site.slug}-{project.slug}.zip", "bytes": size}


def forget_exports(*, before: datetime) -> int:
    """Delete the files of exports that ended before ``before``; the jobs stay, without a file."""
    old = Job.objects.filter(kind=KIND, ended_at__lt=before, result__has_key="file")
    for job in old:
        default_storage.delete(job.result.pop("file"))
        job.save(update_fields=["result"])
    return len(old)
