"""Recognition for machines, and captures with what the machine thinks of them."""

from __future__ import annotations

import base64
import time
from typing import Any

from django.conf import settings
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.states import ADMINS, STAFF, Role
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.api.intake import UploadView
from annotator.captures.models import CamType, Capture
from annotator.captures.queries import ORDERINGS, captures_named, captures_of
from annotator.core.errors import FieldError, Invalid, Unavailable
from annotator.core.paging import SitePageQuery, page_of, paged
from annotator.media import services as media
from annotator.media.pictures import BadPicture
from inference.captions import DEFAULT_SCHEMA, format_caption, normalise_value
from inference.captions import FieldError as CaptionError
from inference.contracts import Description, Failure, RecognizerError
from inference.logs import REQUEST_ID

from . import memory, services
from .models import SuggestionState
from .queries import recognition_json, suggestion_json
from .recognizer import get_recognizer
from .serializers import CandidateSerializer, SuggestionSerializer


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


# --- the machine API ------------------------------------------------------------------------


class RecognizeJsonSerializer(serializers.Serializer[Any]):
    image_base64 = serializers.CharField(required=False)
    image = serializers.FileField(required=False, help_text="With multipart/form-data.")
    sensor_data = serializers.DictField(required=False)
    context_metadata = serializers.DictField(required=False)


class RecognizeQuery(SiteQuery):
    view = serializers.ChoiceField(["full", "wms"], default="full")


class ResultSerializer(serializers.Serializer[Any]):
    sku = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    spec = serializers.CharField(allow_null=True)
    quantity = serializers.CharField(allow_null=True)
    condition = serializers.CharField(allow_null=True)
    caption = serializers.CharField()
    confidence = serializers.FloatField()


class RecognizedSerializer(serializers.Serializer[Any]):
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    model_version = serializers.CharField()
    result = ResultSerializer()
    candidates = CandidateSerializer(many=True)
    evidence = serializers.DictField()
    timings_ms = serializers.DictField(child=serializers.FloatField())


class RecognizeView(SiteView):
    """What is in a picture, for WMS and conveyor lines. ``?view=wms`` answers
    ``{sku_id, category, confidence}``."""

    access = {"POST": frozenset({Role.INTEGRATOR, Role.ADMIN})}
    parser_classes = [JSONParser, MultiPartParser]

    @extend_schema(
        operation_id="recognize",
        request={
            "application/json": RecognizeJsonSerializer,
            "multipart/form-data": RecognizeJsonSerializer,
        },
        parameters=[RecognizeQuery, OpenApiParameter("X-Priority", str, OpenApiParameter.HEADER)],
        responses=RecognizedSerializer,
    )
    def post(self, request: Request) -> Response:
        started = time.perf_counter()
        query = RecognizeQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        site = site_of(self)
        data = _picture_bytes(request)
        try:
            media.verify(data)
        except BadPicture as bad:
            raise Invalid([FieldError("image", bad.code, dict(bad.params))]) from bad
        verified_ms = (time.perf_counter() - started) * 1000
        urgent = request.headers.get("X-Priority", "").lower() == "urgent"
        try:
            recognizer = get_recognizer()
            (description,) = recognizer.describe([data], urgent=urgent)
            if isinstance(description, Failure):
                raise Invalid(
                    [FieldError("image", "corrupt_picture", {"detail": description.detail})]
                )
            (answer,) = recognizer.rank(memory.site_ref(site.pk), [description])
        except RecognizerError as error:
            code = "recognizer_busy" if error.retry_after_s else "recognizer_unavailable"
            raise Unavailable(code, retry_after_s=error.retry_after_s or 5.0) from error
        values = {key: field.value for key, field in answer.fields.items()}
        sku = answer.fields.get("sku")
        confidence = (sku.confidence if sku else None) or (
            answer.candidates[0].confidence if answer.candidates else 0.0
        )
        if query.validated_data["view"] == "wms":
            return Response(
                {
                    "sku_id": values.get("sku"),
                    "category": values.get("category"),
                    "confidence": round(confidence, 4),
                }
            )
        return Response(
            {
                "request_id": REQUEST_ID.get(),
                "timestamp": timezone.now(),
                "model_version": answer.model_version,
                "result": {
                    **values,
                    "caption": _caption(values),
                    "confidence": round(confidence, 4),
                },
                **_evidence(site.pk, answer.to_json(), description),
                "timings_ms": {
                    "verify": round(verified_ms, 1),
                    **description.timings_ms,
                    **answer.timings_ms,
                    "total": round((time.perf_counter() - started) * 1000, 1),
                },
            }
        )


def _picture_bytes(request: Request) -> bytes:
    file = request.FILES.get("image")
    if file is not None:
        return bytes(file.read())
    encoded = request.data.get("image_base64") if isinstance(request.data, dict) else None
    if not isinstance(encoded, str) or not encoded:
        raise Invalid([FieldError("image", "required")])
    if len(encoded) > settings.MAX_UPLOAD_BYTES * 4 // 3 + 1024:
        limit = settings.MAX_UPLOAD_BYTES >> 20
        raise Invalid(
            [
                FieldError(
                    "image", "file_too_large", {"size_mb": len(encoded) >> 20, "limit_mb": limit}
                )
            ]
        )
    try:
        return base64.b64decode(encoded.partition("base64,")[2] or encoded, validate=True)
    except ValueError as error:  # binascii.Error is one; text beyond ASCII another
        raise Invalid([FieldError("image_base64", "bad_record", {"detail": str(error)})]) from error


def _caption(values: dict[str, Any]) -> str:
    """The canonical caption of the proposed values; a value that is none is left out."""
    good = {}
    for key, value in values.items():
        field = DEFAULT_SCHEMA.get(key)
        if field is None or not isinstance(value, str):
            continue
        normal = normalise_value(field, value)
        if not isinstance(normal, CaptionError):
            good[key] = normal
    return format_caption(good)


def _evidence(site_id: int, answer: dict[str, Any], description: Description) -> dict[str, Any]:
    data = description.to_json()
    joined = recognition_json(
        site_id=site_id,
        fields=answer["fields"],
        candidates=answer["candidates"],
        neighbours=answer["neighbours"],
        barcodes=data["barcodes"],
        ocr_lines=data["ocr_lines"],
    )
    return {
        "candidates": joined["candidates"],
        "evidence": {
            "fields": joined["fields"],
            "neighbours": joined["neighbours"],
            "barcodes": joined["barcodes"],
            "ocr_lines": joined["ocr_lines"],
            "flags": answer["flags"],
            "missing": dict(description.missing),
        },
    }
