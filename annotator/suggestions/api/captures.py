"""Captures with what the machine thinks of them."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import site_of
from annotator.accounts.states import ADMINS, STAFF
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.api.intake import UploadView
from annotator.captures.models import CamType, Capture
from annotator.captures.queries import ORDERINGS, captures_named, captures_of
from annotator.core.paging import SitePageQuery, page_of, paged

from .. import services
from ..models import SuggestionState
from ..queries import suggestion_json
from ..serializers import SuggestionSerializer


class SuggestedCaptureSerializer(CaptureSerializer):
    suggestion_state = serializers.ChoiceField([*SuggestionState.values, "none"])
    top_sku = serializers.CharField(allow_null=True)
    top_confidence = serializers.FloatField(allow_null=True)


class CaptureDetailSerializer(SuggestedCaptureSerializer):
    sha256 = serializers.CharField()
    original_name = serializers.CharField(allow_blank=True)
    scene = serializers.CharField()
    suggestion = SuggestionSerializer(allow_null=True)
    duplicates = CaptureSerializer(many=True)
    views = CaptureSerializer(many=True)


class CaptureQuery(SitePageQuery):
    state = serializers.ChoiceField(SuggestionState.choices, required=False)
    project = serializers.IntegerField(required=False, help_text="Captures with a task there.")
    cam_type = serializers.ChoiceField(CamType.choices, required=False)
    duplicate = serializers.BooleanField(required=False, allow_null=True, default=None)
    search = serializers.CharField(
        required=False, allow_blank=True, help_text="The beginning of a picture's or file's name."
    )
    sort = serializers.ChoiceField(list(ORDERINGS), default="newest")


class CapturesView(UploadView):
    """The captures of a site, and uploading more."""

    access = {**UploadView.access, "GET": STAFF}

    @extend_schema(
        operation_id="captures",
        parameters=[CaptureQuery],
        responses=paged(SuggestedCaptureSerializer),
    )
    def get(self, request: Request) -> Response:
        query = CaptureQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        data = query.validated_data
        rows = captures_of(self.sites).select_related("suggestion_status__current")
        if "site" in data:
            # Said of the picture as well, so that orders by its measures find their index.
            rows = rows.filter(site=data["site"], image__site=data["site"])
        if "state" in data:
            rows = rows.filter(suggestion_status__state=data["state"])
        if "cam_type" in data:
            rows = rows.filter(cam_type=data["cam_type"])
        if data["duplicate"] is not None:
            rows = rows.filter(duplicate_of__isnull=not data["duplicate"])
        if "project" in data:
            rows = rows.filter(scene__tasks__project=data["project"])
        if text := data.get("search", "").strip():
            rows = rows.filter(pk__in=captures_named(self.sites, text))
        return page_of(
            request,
            rows,
            lambda page: [_suggested(row) for row in page],
            ordering=ORDERINGS[data["sort"]],
        )


def _suggested(capture: Capture) -> dict[str, Any]:
    status = getattr(capture, "suggestion_status", None)
    current = status.current if status else None
    top = current.candidates[0] if current and current.candidates else None
    return {
        **capture_json(capture),
        "suggestion_state": status.state if status else "none",
        "top_sku": top["sku_code"] if top else None,
        "top_confidence": round(top["confidence"], 4) if top else None,
    }


class CaptureView(SiteView):
    """One capture, its suggestion, its near-duplicates and the other views of its scene."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="capture", responses=CaptureDetailSerializer)
    def get(self, request: Request, capture_id: int) -> Response:
        rows = captures_of(self.sites).select_related("suggestion_status__current")
        capture = get_object_or_404(rows, pk=capture_id)
        status = getattr(capture, "suggestion_status", None)
        root = capture.duplicate_of_id or capture.pk
        near = captures_of(self.sites).filter(duplicate_of=root) | captures_of(self.sites).filter(
            pk=root
        )
        views = captures_of(self.sites).filter(scene=capture.scene_id)
        return Response(
            {
                **_suggested(capture),
                "sha256": capture.image.sha256,
                "original_name": capture.original_name,
                "scene": capture.scene.key,
                "suggestion": suggestion_json(
                    status.current if status else None, site_id=capture.site_id
                ),
                "duplicates": [capture_json(c) for c in near.exclude(pk=capture.pk)[:20]],
                "views": [capture_json(c) for c in views.exclude(pk=capture.pk)[:20]],
            }
        )


class RefreshSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField(required=False)


class RefreshedSerializer(serializers.Serializer[Any]):
    captures = serializers.IntegerField()


class RefreshView(SiteView):
    """Ask the machine again about captures that have no suggestion."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="refresh_suggestions",
        request=RefreshSerializer,
        responses={202: RefreshedSerializer},
    )
    def post(self, request: Request) -> Response:
        form = RefreshSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        wanted = form.validated_data.get("site")
        site = get_object_or_404(self.sites, pk=wanted) if wanted else site_of(self)
        return Response({"captures": services.ask_again(site=site)}, status=202)
