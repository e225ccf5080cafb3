"""The answers that were kept of machines' calls: listed, looked at, and made again."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.core.paging import PageQuery, page_of, paged
from annotator.media.queries import image_urls
from annotator.suggestions import replay_jobs
from annotator.suggestions.answers import description_of
from annotator.suggestions.models import MachineAnswer
from annotator.suggestions.queries import answers_of, recognition_json
from annotator.suggestions.serializers import (
    BarcodeSerializer,
    CandidateSerializer,
    FieldSuggestionSerializer,
    NeighbourSerializer,
    OcrLineSerializer,
)


class StoredAnswerSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    request_id = serializers.CharField()
    place = serializers.IntegerField(help_text="Of the picture among those of the request.")
    caller = serializers.CharField(allow_null=True)
    sku = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    none = serializers.FloatField(allow_null=True)
    flags = serializers.ListField(child=serializers.CharField())
    left_out = serializers.ListField(child=serializers.CharField())
    model = serializers.CharField(allow_null=True, help_text="Null: the base, or none.")
    model_version = serializers.CharField()
    picture = serializers.CharField(allow_null=True, help_text="Null where it was not kept.")
    created_at = serializers.DateTimeField()


class StoredAnswerDetailSerializer(StoredAnswerSerializer):
    site_number = serializers.IntegerField()
    learned_number = serializers.IntegerField()
    fields = serializers.DictField(child=FieldSuggestionSerializer())  # type: ignore[assignment]
    candidates = CandidateSerializer(many=True)
    neighbours = NeighbourSerializer(many=True)
    barcodes = BarcodeSerializer(many=True)
    ocr_lines = OcrLineSerializer(many=True)
    sensor_data = serializers.DictField()
    context_metadata = serializers.DictField()


class StoredAnswersQuery(PageQuery):
    request_id = serializers.CharField(required=False, max_length=64)


class ReplaySerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField(help_text="Its result says whether it came out the same.")


def answers_json(rows: Iterable[MachineAnswer]) -> list[dict[str, Any]]:
    """Answers as a list shows them. Needs what ``answers_of`` selects."""
    return [_answer_json(row) for row in rows]


def _answer_json(row: MachineAnswer) -> dict[str, Any]:
    said = row.recognition
    first = said["candidates"][0] if said["candidates"] else None
    return {
        "id": row.pk,
        "request_id": row.request_id,
        "place": row.place,
        "caller": str(row.caller) if row.caller else None,
        "sku": first["sku_code"] if first else None,
        "confidence": first["confidence"] if first else None,
        "none": said.get("none"),
        "flags": said["flags"],
        "left_out": said.get("left_out", []),
        "model": row.model.name if row.model else None,
        "model_version": said["model_version"],
        "picture": image_urls(row.image_id)["thumb"] if row.image_id else None,
        "created_at": row.created_at,
    }


class _AnswersView(SiteView):
    access = {"GET": ADMINS}

    def row(self, site_id: int, answer_id: int) -> MachineAnswer:
        site = get_object_or_404(self.sites, pk=site_id)
        found: MachineAnswer = get_object_or_404(answers_of(site), pk=answer_id)
        return found


class StoredAnswersView(_AnswersView):
    """The machine API's answers that a site kept, newest first."""

    @extend_schema(
        operation_id="stored_answers",
        parameters=[StoredAnswersQuery],
        responses=paged(StoredAnswerSerializer),
    )
    def get(self, request: Request, site_id: int) -> Response:
        query = StoredAnswersQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = answers_of(get_object_or_404(self.sites, pk=site_id))
        if "request_id" in query.validated_data:
            rows = rows.filter(request_id=query.validated_data["request_id"])
        return page_of(request, rows, answers_json)


class StoredAnswerView(_AnswersView):
    """One answer with what it was made of."""

    @extend_schema(operation_id="stored_answer", responses=StoredAnswerDetailSerializer)
    def get(self, request: Request, site_id: int, answer_id: int) -> Response:
        row = self.row(site_id, answer_id)
        said, seen = row.recognition, description_of(row.evidence).to_json()
        joined = recognition_json(
            site_id=site_id,
            fields=said["fields"],
            candidates=said["candidates"],
            neighbours=said["neighbours"],
            barcodes=seen["barcodes"],
            ocr_lines=seen["ocr_lines"],
        )
        return Response(
            {
                **_answer_json(row),
                **joined,
                "site_number": said["site_number"],
                "learned_number": said.get("learned_number", 0),
                "sensor_data": row.sensor_data,
                "context_metadata": row.context_metadata,
            }
        )


class ReplayAnswerView(_AnswersView):
    """Make an answer again, exactly, and ask the live model beside it. A job does that; asked twice, the one
    that is at work."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="replay_stored_answer", request=None, responses={202: ReplaySerializer}
    )
    def post(self, request: Request, site_id: int, answer_id: int) -> Response:
        job = replay_jobs.start_replay(self.row(site_id, answer_id), actor=self.person)
        return Response({"job": job.pk}, status=202)
