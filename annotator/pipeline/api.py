"""Jobs, and the pulse: what changes by itself, in one small answer."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

from django.core.files.storage import default_storage
from django.db.models import Q, QuerySet
from django.http import FileResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.queries import projects_on, roles_by_site
from annotator.accounts.states import ADMINS, ANNOTATORS, LABELERS, STAFF
from annotator.accounts.views import SiteView
from annotator.core import jobs
from annotator.core.errors import NotFound
from annotator.core.models import Job, JobState
from annotator.core.paging import SitePageQuery, page_of, paged
from annotator.labeling.api.projects import CountsSerializer, ProgressSerializer
from annotator.labeling.queries import my_progress, state_counts
from annotator.modelhub.models import LiveModel
from annotator.review.queries import unread_feedback
from annotator.training.api.serializers import RunSerializer, runs_json
from annotator.training.queries import runs_on
from annotator.training.states import ACTIVE


class JobErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class JobSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    site = serializers.IntegerField()
    project = serializers.IntegerField(allow_null=True)
    kind = serializers.CharField()
    state = serializers.ChoiceField(JobState.choices)
    total = serializers.IntegerField(allow_null=True, help_text="Steps, where known.")
    done = serializers.IntegerField(help_text="Steps done.")
    counts = serializers.DictField(child=serializers.IntegerField())
    result = serializers.DictField()
    file = serializers.CharField(allow_null=True, help_text="Where its file is downloaded.")
    error = JobErrorSerializer(allow_null=True)
    cancelling = serializers.BooleanField()
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    ended_at = serializers.DateTimeField(allow_null=True)


class JobQuery(SitePageQuery):
    kind = serializers.CharField(required=False)
    state = serializers.ChoiceField(JobState.choices, required=False)
    open = serializers.BooleanField(required=False, default=False)


def job_json(job: Job) -> dict[str, Any]:
    """A job as every page shows it. Needs ``created_by``."""
    return {
        "id": job.pk,
        "site": job.site_id,
        "project": job.project_id,
        "kind": job.kind,
        "state": job.state,
        "total": job.total,
        "done": job.done,
        "counts": job.counts,
        "result": {key: value for key, value in job.result.items() if key != "file"},
        "file": f"/api/v1/jobs/{job.pk}/file" if job.result.get("file") else None,
        "error": job.error,
        "cancelling": job.cancel_requested_at is not None and job.state in jobs.OPEN,
        "created_by": str(job.created_by) if job.created_by else None,
        "created_at": job.created_at,
        "started_at": job.started_at,
        "ended_at": job.ended_at,
    }


def jobs_json(rows: Iterable[Job]) -> list[dict[str, Any]]:
    return [job_json(row) for row in rows]


def _jobs_on(view: SiteView) -> QuerySet[Job]:
    return Job.objects.filter(site_id__in=view.sites.values("pk")).select_related("created_by")


class JobsView(SiteView):
    """Long work on the caller's sites, newest first."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="jobs", parameters=[JobQuery], responses=paged(JobSerializer))
    def get(self, request: Request) -> Response:
        query = JobQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        asked = query.validated_data
        rows = _jobs_on(self)
        for name, column in (("site", "site_id"), ("kind", "kind"), ("state", "state")):
            if name in asked:
                rows = rows.filter(**{column: asked[name]})
        if asked["open"]:
            rows = rows.filter(state__in=jobs.OPEN)
        return page_of(request, rows, jobs_json)


class JobView(SiteView):
    """One job."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="job", responses=JobSerializer)
    def get(self, request: Request, job_id: int) -> Response:
        return Response(job_json(get_object_or_404(_jobs_on(self), pk=job_id)))


class CancelJobView(SiteView):
    """Ask a job to stop; what it did stays done."""

    access = {"POST": ADMINS}

    @extend_schema(operation_id="cancel_job", request=None, responses=JobSerializer)
    def post(self, request: Request, job_id: int) -> Response:
        job = get_object_or_404(_jobs_on(self), pk=job_id)
        return Response(job_json(jobs.cancel(job=job, actor=self.person)))


class JobFileView(SiteView):
    """The file that a job made."""

    access = {"GET": ADMINS}

    @extend_schema(
        operation_id="job_file",
        responses={(200, "application/zip"): OpenApiResponse(OpenApiTypes.BINARY)},
    )
    def get(self, request: Request, job_id: int) -> FileResponse:
        job = get_object_or_404(_jobs_on(self), pk=job_id)
        if not job.result.get("file"):
            raise NotFound()
        file = default_storage.open(job.result["file"])
        return FileResponse(file, as_attachment=True, filename=job.result["name"])


class PulseProjectSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    counts = CountsSerializer(allow_null=True, help_text="Null for annotators.")
    my = ProgressSerializer()


class PulseSerializer(serializers.Serializer[Any]):
    projects = PulseProjectSerializer(many=True)
    jobs = JobSerializer(many=True, help_text="Those at work, and those that ended a minute ago.")
    trainings = RunSerializer(
        many=True, help_text="As jobs; of the sites that the caller administers."
    )
    unread_feedback = serializers.IntegerField(help_text="What reviewers said, not read yet.")
    models = serializers.DictField(
        child=serializers.IntegerField(),
        help_text="By site, for its admins: how often what is live has changed.",
    )


def _models_on(sites: list[int]) -> dict[str, int]:
    if not sites:
        return {}
    rows = LiveModel.objects.filter(site__in=sites).values_list("site", "revision")
    return {str(site): revision for site, revision in rows}


class PulseView(SiteView):
    """What moves on the caller's sites without their doing: queues and jobs. Browsers ask every few
    seconds while they are looked at, so this is one small answer in a fixed number of queries."""

    access = {"GET": LABELERS}

    @extend_schema(operation_id="pulse", responses=PulseSerializer)
    def get(self, request: Request) -> Response:
        projects = list(projects_on(self.sites)[:200])
        roles = {site_id: set(held) for site_id, (_, held) in roles_by_site(self.person).items()}
        ids = [project.pk for project in projects]
        staffed = [site_id for site_id, held in roles.items() if held & STAFF]
        counts = state_counts([p.pk for p in projects if p.site_id in staffed])
        administered = [site_id for site_id, held in roles.items() if held & ADMINS]
        progress = my_progress(ids, self.person)
        labeled = [p.pk for p in projects if roles.get(p.site_id, set()) & ANNOTATORS]
        just_now = Q(ended_at__gt=timezone.now() - timedelta(minutes=1))
        moving = (
            _jobs_on(self).filter(site_id__in=staffed).filter(Q(state__in=jobs.OPEN) | just_now)
        )
        trained = runs_on(administered).filter(Q(state__in=ACTIVE) | just_now)
        return Response(
            {
                "projects": [
                    {
                        "id": project.pk,
                        "counts": counts.get(project.pk),
                        "my": progress[project.pk],
                    }
                    for project in projects
                ],
                "jobs": jobs_json(moving.order_by("-id")[:20]) if staffed else [],
                "trainings": runs_json(trained.order_by("-id")[:20]) if administered else [],
                "models": _models_on(administered),
                "unread_feedback": (unread_feedback(self.person, labeled) if labeled else 0),
            }
        )
