"""The shapes of suggestions in the REST API."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers


class FieldSuggestionSerializer(serializers.Serializer[Any]):
    value = serializers.CharField(allow_null=True)
    confidence = serializers.FloatField(allow_null=True)
    source = serializers.CharField()


class CandidateSerializer(serializers.Serializer[Any]):
    sku_code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    category = serializers.CharField(allow_blank=True)
    spec = serializers.CharField(allow_blank=True)
    unit = serializers.CharField(allow_blank=True)
    confidence = serializers.FloatField()
    parts = serializers.DictField(child=serializers.FloatField())
    words = serializers.ListField(child=serializers.CharField())
    picture = serializers.CharField(allow_null=True)


class NeighbourSerializer(serializers.Serializer[Any]):
    sku_code = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    kind = serializers.ChoiceField(["reference", "decided"])
    similarity = serializers.FloatField()
    picture = serializers.CharField(allow_null=True)


class BarcodeSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    format = serializers.CharField()
    polygon = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    )
    sku_code = serializers.CharField(allow_null=True)


class OcrLineSerializer(serializers.Serializer[Any]):
    text = serializers.CharField()
    confidence = serializers.FloatField()
    polygon = serializers.ListField(
        child=serializers.ListField(child=serializers.FloatField(), min_length=2, max_length=2)
    )


class HeatMapSerializer(serializers.Serializer[Any]):
    """A byte for each of ``rows`` × ``columns`` parts of the whole picture, row by row, 255 the most."""

    rows = serializers.IntegerField()
    columns = serializers.IntegerField()
    data = serializers.CharField(help_text="base64")


class SuggestionSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    capture = serializers.IntegerField()
    model_version = serializers.CharField()
    fields = serializers.DictField(child=FieldSuggestionSerializer())
    candidates = CandidateSerializer(many=True)
    neighbours = NeighbourSerializer(many=True)
    barcodes = BarcodeSerializer(many=True)
    ocr_lines = OcrLineSerializer(many=True)
    flags = serializers.ListField(child=serializers.CharField())
    heat = serializers.DictField(child=HeatMapSerializer())
    attributes = serializers.DictField(
        child=FieldSuggestionSerializer(),
        help_text="Of `package_type` and `stack_level`, which is in digits.",
    )
    none = serializers.FloatField(
        allow_null=True,
        help_text="How probable it is that the picture shows nothing of the catalog.",
    )
    left_out = serializers.ListField(
        child=serializers.CharField(), help_text="Evidence that came too late, or failed."
    )
    created_at = serializers.DateTimeField()
