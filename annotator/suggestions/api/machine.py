"""Recognition for machines: what is in their pictures, and what is known that is like them."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import SiteQuery, site_of
from annotator.accounts.states import Role
from annotator.accounts.views import SiteView
from annotator.core.errors import DomainError, FieldError, Invalid
from annotator.core.http import PROBLEM, problem_body
from annotator.core.parsing import BoundedJSONParser
from inference.captions import DEFAULT_SCHEMA, format_caption, normalise_value
from inference.captions import FieldError as CaptionError
from inference.contracts import Description
from inference.logs import REQUEST_ID

from .. import answers
from ..queries import hits_json, recognition_json
from ..serializers import CandidateSerializer
from .asking import MAX_PICTURES, asked_of, file_of, pictures_of

MACHINES = frozenset({Role.INTEGRATOR, Role.ADMIN})
MAX_HITS = 50
LONGEST_TEXT = 500


_SENSORS = (
    "Kept with the answer. `weight_g`, or `weight_kg`, is noted as the weight of the goods, where "
    "the site has the photo."
)


class PictureSerializer(serializers.Serializer[Any]):
    image_base64 = serializers.CharField(help_text="The file in base64; a data URL will do.")
    sensor_data = serializers.DictField(required=False, help_text=_SENSORS)
    context_metadata = serializers.DictField(required=False, help_text="Kept with the answer.")


class RecognizeJsonSerializer(serializers.Serializer[Any]):
    image_base64 = serializers.CharField(
        required=False, help_text="The file in base64; a data URL will do."
    )
    images = PictureSerializer(
        many=True, required=False, help_text=f"Instead: a batch of at most {MAX_PICTURES}."
    )
    sensor_data = serializers.DictField(required=False, help_text=_SENSORS)
    context_metadata = serializers.DictField(required=False, help_text="Kept with the answer.")


class RecognizeFormSerializer(serializers.Serializer[Any]):
    image = serializers.FileField(required=False)
    images = serializers.ListField(
        child=serializers.FileField(),
        required=False,
        help_text=f"Instead: a batch of at most {MAX_PICTURES}.",
    )
    sensor_data = serializers.CharField(required=False, help_text="A JSON object.")
    context_metadata = serializers.CharField(required=False, help_text="A JSON object.")


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


class RecognizedPictureSerializer(serializers.Serializer[Any]):
    model_version = serializers.CharField()
    site_number = serializers.IntegerField(help_text="Of the last change of the site's memory.")
    learned_number = serializers.IntegerField(help_text="Up to which it was learned from.")
    answer_id = serializers.IntegerField(allow_null=True, help_text="Null where none is kept.")
    result = ResultSerializer()
    candidates = CandidateSerializer(many=True)
    evidence = serializers.DictField()
    timings_ms = serializers.DictField(child=serializers.FloatField())


class RecognizedSerializer(RecognizedPictureSerializer):
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()


class ShortSerializer(serializers.Serializer[Any]):
    sku_id = serializers.CharField(allow_null=True)
    category = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField()


class ProblemErrorSerializer(serializers.Serializer[Any]):
    field = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    message = serializers.CharField()
    params = serializers.DictField()


class ProblemSerializer(serializers.Serializer[Any]):
    """RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
    errors = ProblemErrorSerializer(many=True, required=False)


class PictureProblemSerializer(serializers.Serializer[Any]):
    problem = ProblemSerializer()


class RecognizedBatchSerializer(serializers.Serializer[Any]):
    request_id = serializers.CharField()
    timestamp = serializers.DateTimeField()
    results = PolymorphicProxySerializer(
        component_name="BatchResult",
        serializers=[RecognizedPictureSerializer, ShortSerializer, PictureProblemSerializer],
        resource_type_field_name=None,
        many=True,
    )


class SimilarJsonSerializer(serializers.Serializer[Any]):
    image_base64 = serializers.CharField(required=False)
    text = serializers.CharField(
        required=False, max_length=LONGEST_TEXT, help_text="Instead of a picture."
    )
    count = serializers.IntegerField(required=False, default=10, min_value=1, max_value=MAX_HITS)


class SimilarFormSerializer(serializers.Serializer[Any]):
    image = serializers.FileField()
    count = serializers.IntegerField(required=False, default=10, min_value=1, max_value=MAX_HITS)


class HitSerializer(serializers.Serializer[Any]):
    sku_code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    spec = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(
        ["reference", "decided", "sku"],
        help_text="A catalog picture, a decided capture, or a catalog entry found by its words.",
    )
    capture = serializers.IntegerField(allow_null=True, help_text="Of a decided capture.")
    score = serializers.FloatField(
        help_text="The cosine where `by` is the picture; else comparable within the answer."
    )
    by = serializers.ListField(child=serializers.ChoiceField(["picture", "words", "meaning"]))
    picture = serializers.CharField(allow_null=True)


class SimilarSerializer(serializers.Serializer[Any]):
    request_id = serializers.CharField()
    site_number = serializers.IntegerField(help_text="Of the last change of the site's memory.")
    hits = HitSerializer(many=True)


PROBLEMS = {
    (status, PROBLEM): ProblemSerializer for status in (400, 401, 403, 404, 405, 413, 415, 503)
}


class RecognizeView(SiteView):
    """What is in a picture, for WMS and conveyor lines. ``?view=wms`` answers
    ``{sku_id, category, confidence}``. A batch, ``images``, answers ``results`` in their order, each an
    answer or ``{problem}``. What is wrong with a call as a whole is answered as a problem."""

    access = {"POST": MACHINES}
    parser_classes = [BoundedJSONParser, MultiPartParser]

    @extend_schema(
        operation_id="recognize",
        request={
            "application/json": RecognizeJsonSerializer,
            "multipart/form-data": RecognizeFormSerializer,
        },
        parameters=[
            RecognizeQuery,
            OpenApiParameter("X-Priority", str, OpenApiParameter.HEADER, enum=["normal", "urgent"]),
        ],
        responses={
            200: PolymorphicProxySerializer(
                component_name="RecognizeAnswer",
                serializers=[RecognizedSerializer, ShortSerializer, RecognizedBatchSerializer],
                resource_type_field_name=None,
            ),
            **PROBLEMS,
        },
    )
    def post(self, request: Request) -> Response:
        started = time.perf_counter()
        query = RecognizeQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        short = query.validated_data["view"] == "wms"
        site, urgent = site_of(self), _urgent(request)
        asked, many = pictures_of(request)
        answered = answers.recognize(site=site, asked=asked, urgent=urgent, caller=self.person)
        results: list[dict[str, Any]] = []
        for one in answered:
            if isinstance(one, DomainError):
                if not many:
                    raise one
                results.append({"problem": _problem(one)})
            else:
                total_ms = (time.perf_counter() - started) * 1000
                results.append(_short(one) if short else _full(site.pk, one, total_ms))
        head = {"request_id": REQUEST_ID.get(), "timestamp": timezone.now()}
        if many:
            return Response({**head, "results": results})
        return Response(results[0] if short else {**head, **results[0]})


class SimilarView(SiteView):
    """What is known of the site that is like a picture, or that a text is about: decided captures,
    catalog pictures and SKUs, the nearest first."""

    access = {"POST": MACHINES}
    parser_classes = [BoundedJSONParser, MultiPartParser]

    @extend_schema(
        operation_id="similar",
        request={
            "application/json": SimilarJsonSerializer,
            "multipart/form-data": SimilarFormSerializer,
        },
        parameters=[SiteQuery],
        responses={200: SimilarSerializer, **PROBLEMS},
    )
    def post(self, request: Request) -> Response:
        site = site_of(self)
        if not isinstance(request.data, Mapping):
            raise Invalid([FieldError("image", "required")])
        form = SimilarJsonSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        query: answers.Asked | str | None = file_of(request)
        if query is None:
            text = form.validated_data.get("text")
            query = asked_of(request.data) if text is None else text
        found = answers.similar(site=site, query=query, count=form.validated_data["count"])
        return Response(
            {
                "request_id": REQUEST_ID.get(),
                "site_number": found.site_number,
                "hits": hits_json(site_id=site.pk, hits=found.hits),
            }
        )


def _urgent(request: Request) -> bool:
    """Whether the call is urgent. Raises :class:`Invalid` for a priority that there is not."""
    priority = request.headers.get("X-Priority", "normal").strip().lower()
    if priority not in ("normal", "urgent"):
        raise Invalid([FieldError("X-Priority", "bad_priority")])
    return priority == "urgent"


def _problem(error: DomainError) -> dict[str, Any]:
    named = error.errors if isinstance(error, Invalid) else []
    extras = {"errors": [one.to_json() for one in named]} if named else {}
    return problem_body(error.status, error.code, error.detail, **extras)


def _short(answered: answers.Answered) -> dict[str, Any]:
    fields = answered.recognition.fields
    return {
        "sku_id": fields["sku"].value if "sku" in fields else None,
        "category": fields["category"].value if "category" in fields else None,
        "confidence": _confidence(answered),
    }


def _full(site_id: int, answered: answers.Answered, total_ms: float) -> dict[str, Any]:
    recognition, description = answered.recognition, answered.description
    values = {key: field.value for key, field in recognition.fields.items()}
    return {
        "model_version": recognition.model_version,
        "site_number": recognition.site_number,
        "learned_number": recognition.learned_number,
        "answer_id": answered.answer_id,
        "result": {
            **values,
            "caption": _caption(values),
            "confidence": _confidence(answered),
        },
        **_evidence(site_id, recognition.to_json(), description),
        "timings_ms": {
            "verify": round(answered.verify_ms, 1),
            **description.timings_ms,
            **recognition.timings_ms,
            "total": round(total_ms, 1),
        },
    }


def _confidence(answered: answers.Answered) -> float:
    recognition = answered.recognition
    sku = recognition.fields.get("sku")
    first = recognition.candidates[0].confidence if recognition.candidates else 0.0
    return round((sku.confidence if sku else None) or first, 4)


def _caption(values: Mapping[str, Any]) -> str:
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
            "none": answer["none"],
        },
    }
