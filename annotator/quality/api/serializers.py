"""The figures of a project as they look from outside."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from ..models import Alert


class FigureSerializer(serializers.Serializer[Any]):
    value = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()
    interval = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, min_length=2, max_length=2
    )


class TrendSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    value = serializers.FloatField()
    count = serializers.IntegerField()


class JudgedSerializer(FigureSerializer):
    key = serializers.CharField()
    unit = serializers.ChoiceField(["%", "s", "score"])
    threshold = serializers.FloatField(allow_null=True)
    better = serializers.ChoiceField(["up", "down"])
    passes = serializers.BooleanField(allow_null=True)


class MetricSerializer(JudgedSerializer):
    note = serializers.CharField(allow_blank=True)
    trend = TrendSerializer(many=True)


class BreakdownRowSerializer(JudgedSerializer):
    at = serializers.CharField(help_text="The batch, person, camera, category or Monday.")
    label = serializers.CharField()


class FieldAgreementSerializer(serializers.Serializer[Any]):
    key = serializers.CharField(help_text="A field of the schema, or boxes (their overlap).")
    agreement = serializers.FloatField(allow_null=True)
    interval = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    alpha = serializers.FloatField(allow_null=True, help_text="Krippendorff's, nominal.")
    alpha_interval = serializers.ListField(child=serializers.FloatField(), allow_null=True)
    kappa = serializers.FloatField(allow_null=True, help_text="Cohen's, of the first two answers.")
    count = serializers.IntegerField()


class AnnotatorSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    annotations = serializers.IntegerField()
    mean_active_seconds = serializers.FloatField(allow_null=True)
    agreement = FigureSerializer()
    right = FigureSerializer(help_text="Answers that the decision upholds in every field.")
    gold = FigureSerializer(help_text="Answers to gold tasks that are right in every field.")
    accepted = FigureSerializer(help_text="Answers that took everything that was suggested.")
    low_evidence = serializers.BooleanField(help_text="Too little is known to compare people by.")


class ComparedSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    shown = FigureSerializer()
    delayed = FigureSerializer()
    withheld = FigureSerializer()


class SpotCheckedSerializer(serializers.Serializer[Any]):
    together = FigureSerializer()
    independent = FigureSerializer()


class AnchoringSerializer(serializers.Serializer[Any]):
    compared = ComparedSerializer(many=True)
    together = FigureSerializer(
        help_text="Agreed tasks whose annotators all took the SKU from the suggestion."
    )
    spot_checked = SpotCheckedSerializer()


class AlertSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    annotator = serializers.IntegerField()
    kind = serializers.ChoiceField(Alert.Kind.choices)
    evidence = serializers.DictField()
    opened_at = serializers.DateTimeField()
    closed_at = serializers.DateTimeField(allow_null=True)


class OpenAlertSerializer(AlertSerializer):
    name = serializers.CharField()


class OverlapSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(["gathering", "not_certain", "in_force", "alarmed"])
    limit = serializers.FloatField(help_text="The error (%) under which one answer may do.")
    threshold = serializers.FloatField(allow_null=True, help_text="From this score on it does.")
    bound = serializers.FloatField(
        allow_null=True, help_text="The upper bound of the error (%) above the threshold."
    )
    audits = serializers.IntegerField(help_text="That the bound rests on.")
    errors = serializers.IntegerField(help_text="Among them.")
    gathered = serializers.IntegerField(help_text="Audits settled since the last look.")
    next_look = serializers.IntegerField(help_text="The number of them at which the next comes.")
    saved = serializers.FloatField(
        allow_null=True, help_text="The share (%) of decided tasks that one person answered."
    )
    spot_checked = FigureSerializer(help_text="The error that spot checks found in those.")
    checked_at = serializers.DateTimeField(allow_null=True)
    alarmed_at = serializers.DateTimeField(allow_null=True)


class DisputeCountSerializer(serializers.Serializer[Any]):
    open = serializers.IntegerField()
    decided = serializers.IntegerField()


class ThroughputSerializer(serializers.Serializer[Any]):
    day = serializers.DateField()
    annotations = serializers.IntegerField()
    decided = serializers.IntegerField()


class QualitySerializer(serializers.Serializer[Any]):
    computed_at = serializers.DateTimeField()
    metrics = MetricSerializer(many=True)
    fields = FieldAgreementSerializer(many=True)
    annotators = AnnotatorSerializer(many=True)
    alerts = OpenAlertSerializer(many=True)
    anchoring = AnchoringSerializer()
    overlap = OverlapSerializer(allow_null=True)
    disputes = DisputeCountSerializer()
    throughput = ThroughputSerializer(many=True)
