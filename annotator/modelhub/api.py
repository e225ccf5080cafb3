"""The models of a site: which there are, which is live, promoting, rolling back and trying one."""

from __future__ import annotations

from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Site
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.core.http import IF_MATCH, version_seen
from annotator.core.paging import PageQuery, page_of, paged
from inference import bundles

from . import policies, queries, services
from .models import LiveModel, ModelChange, ModelVersion

HISTORY = 50


class ModelSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    site = serializers.IntegerField()
    number = serializers.IntegerField()
    name = serializers.CharField(help_text="How people call it: v3.")
    digest = serializers.CharField()
    parent = serializers.CharField(allow_null=True, help_text="Null: the shipped base, or nothing.")
    source = serializers.ChoiceField(ModelVersion.Source.choices)
    snapshot_digest = serializers.CharField(allow_blank=True)
    run_key = serializers.CharField(allow_blank=True)
    notes = serializers.CharField(allow_blank=True)
    refusal = serializers.CharField(
        allow_blank=True, help_text="Why the recognizer would not load it when it was last asked."
    )
    created_by = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()


class ModelDetailSerializer(ModelSerializer):
    report = serializers.DictField()


class ModelChangeSerializer(serializers.Serializer[Any]):
    revision = serializers.IntegerField()
    kind = serializers.ChoiceField(ModelChange.Kind.choices)
    before = serializers.CharField(allow_null=True)
    after = serializers.CharField(allow_null=True)
    share = serializers.FloatField()
    reason = serializers.CharField(allow_blank=True)
    gate = serializers.DictField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    at = serializers.DateTimeField()


class LiveModelSerializer(serializers.Serializer[Any]):
    champion = ModelSerializer(allow_null=True, help_text="Null: the shipped base, or none.")
    base = serializers.BooleanField(help_text="Whether there is a base, for where no champion is.")
    previous = ModelSerializer(allow_null=True, help_text="What rolling back leads to.")
    steps = serializers.IntegerField(help_text="How often it can be rolled back.")
    challenger = ModelSerializer(allow_null=True)
    challenger_share = serializers.FloatField()
    rollout = serializers.IntegerField(
        allow_null=True,
        help_text="The job that prepares the next champion or challenger, while it is open.",
    )
    revision = serializers.IntegerField(help_text="Also the ETag: name it in If-Match.")
    changed_at = serializers.DateTimeField(allow_null=True)


class LiveModelDetailSerializer(LiveModelSerializer):
    changes = ModelChangeSerializer(many=True, help_text=f"The last {HISTORY}, the newest first.")


class ReasonSerializer(serializers.Serializer[Any]):
    reason = serializers.CharField(max_length=1000, required=False, allow_blank=True, default="")


class TrialSerializer(ReasonSerializer):
    version = serializers.IntegerField(help_text="The id of a version.")
    share = serializers.FloatField(help_text="Of the captures: above 0, at most 1.")


class PromotionSerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField(help_text="Prepares the version, then makes it the champion.")


class CompareQuery(serializers.Serializer[Any]):
    def get_fields(self) -> dict[str, Any]:
        """``with`` cannot be written as an attribute."""
        return {"with": serializers.IntegerField(help_text="The id of the other version.")}


class ReportFigureSerializer(serializers.Serializer[Any]):
    figure = serializers.CharField(help_text="Its place in the reports.")
    one = serializers.FloatField(allow_null=True)
    other = serializers.FloatField(allow_null=True)
    change = serializers.FloatField(allow_null=True, help_text="From the one to the other.")


class ComparisonSerializer(serializers.Serializer[Any]):
    one = ModelSerializer()
    other = ModelSerializer()
    figures = ReportFigureSerializer(many=True)


def model_json(version: ModelVersion) -> dict[str, Any]:
    """A version as lists show it. Needs ``parent`` and ``created_by``."""
    return {
        "id": version.pk,
        "site": version.site_id,
        "number": version.number,
        "name": version.name,
        "digest": version.digest,
        "parent": version.parent.name if version.parent else None,
        "source": version.source,
        "snapshot_digest": version.snapshot_digest,
        "run_key": version.run_key,
        "notes": version.notes,
        "refusal": version.refusal,
        "created_by": str(version.created_by) if version.created_by else None,
        "created_at": version.created_at,
    }


def live_json(live: LiveModel | None) -> dict[str, Any]:
    """What is live on a site; of one where nothing was ever promoted, too."""

    def one(version: ModelVersion | None) -> dict[str, Any] | None:
        return model_json(version) if version else None

    return {
        "champion": one(live.champion if live else None),
        "base": bundles.base(settings.MODEL) is not None,
        "previous": one(live.previous if live else None),
        "steps": live.steps if live else 0,
        "challenger": one(live.challenger if live else None),
        "challenger_share": live.challenger_share if live else 0.0,
        "rollout": live.rollout_id if live and queries.is_rolling_out(live) else None,
        "revision": live.revision if live else 0,
        "changed_at": live.changed_at if live and live.revision else None,
    }


def _change_json(change: ModelChange) -> dict[str, Any]:
    return {
        "revision": change.revision,
        "kind": change.kind,
        "before": change.before.name if change.before else None,
        "after": change.after.name if change.after else None,
        "share": change.share,
        "reason": change.reason,
        "gate": change.gate,
        "by": str(change.by) if change.by else None,
        "at": change.at,
    }


class _ModelsView(SiteView):
    def site(self, site_id: int) -> Site:
        site: Site = get_object_or_404(self.sites, pk=site_id)
        return site

    def version(self, site_id: int, version_id: int) -> ModelVersion:
        rows = queries.versions_of(self.site(site_id)).select_related(
            "parent", "created_by", "site"
        )
        version: ModelVersion = get_object_or_404(rows, pk=version_id)
        return version

    def told(self, live: LiveModel | None) -> Response:
        """What is live now, with its ETag."""
        body = live_json(live)
        return Response(body, headers={"ETag": f'"{body["revision"]}"'})


class ModelsView(_ModelsView):
    """The model versions of a site, the newest first."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="models", parameters=[PageQuery], responses=paged(ModelSerializer))
    def get(self, request: Request, site_id: int) -> Response:
        rows = queries.versions_of(self.site(site_id))
        return page_of(request, rows, lambda page: [model_json(row) for row in page])


class ModelView(_ModelsView):
    """One version, with its report."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="model", responses=ModelDetailSerializer)
    def get(self, request: Request, site_id: int, version_id: int) -> Response:
        version = self.version(site_id, version_id)
        return Response({**model_json(version), "report": version.report})


class LiveModelView(_ModelsView):
    """Which models a site uses, and how that came about."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="live_model", responses=LiveModelDetailSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        site = self.site(site_id)
        response = self.told(queries.live_of(site))
        changes = ModelChange.objects.filter(site=site).select_related("before", "after", "by")
        response.data["changes"] = [
            _change_json(c) for c in changes.order_by("-revision")[:HISTORY]
        ]
        return response


class PromoteView(_ModelsView):
    """Make a version the champion: it is loaded beside the one that answers, looks at what waits, and
    takes its place then. A job does that; 409 when somebody was quicker."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="promote_model",
        parameters=[IF_MATCH],
        request=ReasonSerializer,
        responses={202: PromotionSerializer},
    )
    def post(self, request: Request, site_id: int, version_id: int) -> Response:
        version = self.version(site_id, version_id)
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        job = services.start_promotion(
            version,
            by=self.person,
            reason=form.validated_data["reason"],
            revision=version_seen(request),
        )
        return Response({"job": job.pk}, status=202)


class RollbackView(_ModelsView):
    """Make the former champion the champion again, at once."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="roll_back_model",
        parameters=[IF_MATCH],
        request=ReasonSerializer,
        responses=LiveModelSerializer,
    )
    def post(self, request: Request, site_id: int) -> Response:
        site = self.site(site_id)
        form = ReasonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        services.rollback(
            site,
            by=self.person,
            reason=form.validated_data["reason"],
            revision=version_seen(request),
        )
        return self.told(queries.live_of(site))


class TrialView(_ModelsView):
    """Let another version answer for a part of the captures, or end that. It is loaded beside the champion
    before it gets any: ``rollout`` is the job that does so (202)."""

    access = {"PUT": ADMINS, "DELETE": ADMINS}

    @extend_schema(
        operation_id="start_model_trial",
        parameters=[IF_MATCH],
        request=TrialSerializer,
        responses={200: LiveModelSerializer, 202: LiveModelSerializer},
    )
    def put(self, request: Request, site_id: int) -> Response:
        self.site(site_id)
        form = TrialSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        job = services.ask_for_trial(
            self.version(site_id, asked["version"]),
            asked["share"],
            by=self.person,
            reason=asked["reason"],
            revision=version_seen(request),
        )
        response = self.told(queries.live_of(site_id))
        response.status_code = 200 if job is None else 202
        return response

    @extend_schema(
        operation_id="end_model_trial", parameters=[IF_MATCH], responses=LiveModelSerializer
    )
    def delete(self, request: Request, site_id: int) -> Response:
        site = self.site(site_id)
        services.end_trial(site, by=self.person, revision=version_seen(request))
        return self.told(queries.live_of(site))


class CompareView(_ModelsView):
    """The figures of two versions' reports side by side."""

    access = {"GET": ADMINS}

    @extend_schema(
        operation_id="compare_models", parameters=[CompareQuery], responses=ComparisonSerializer
    )
    def get(self, request: Request, version_id: int) -> Response:
        rows = ModelVersion.objects.filter(site__in=self.sites)
        rows = rows.select_related("parent", "created_by")
        one = get_object_or_404(rows, pk=version_id)
        query = CompareQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        other = get_object_or_404(rows, pk=query.validated_data["with"], site=one.site_id)
        return Response(
            {
                "one": model_json(one),
                "other": model_json(other),
                "figures": policies.side_by_side(one.report, other.report),
            }
        )
