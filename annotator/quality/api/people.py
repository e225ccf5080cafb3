"""One annotator: the figures, how tasks are handed to them, and one's own record."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Membership, Project
from annotator.accounts.states import ADMINS, ANNOTATORS, Role
from annotator.labeling import standings

from .. import people
from .asking import QualityOfProject
from .serializers import AlertSerializer, FigureSerializer


class FieldOfPersonSerializer(serializers.Serializer[Any]):
    key = serializers.CharField()
    right = FigureSerializer()
    gold = FigureSerializer()
    reliability = FigureSerializer(help_text="Estimated from whom they agree with.")


class QualityWeekSerializer(serializers.Serializer[Any]):
    week = serializers.DateField()
    answers = serializers.IntegerField()
    seconds = serializers.FloatField(allow_null=True)
    right = serializers.FloatField(allow_null=True)


class StandingSerializer(serializers.Serializer[Any]):
    paused = serializers.BooleanField()
    reason = serializers.CharField(allow_blank=True)
    gold_rate = serializers.FloatField(allow_null=True, help_text="Null: the project's.")
    third = serializers.BooleanField(help_text="A further annotator on every task of theirs.")


class StandingChangeSerializer(serializers.Serializer[Any]):
    paused = serializers.BooleanField(required=False)
    reason = serializers.CharField(
        required=False, allow_blank=True, default="", max_length=500, help_text="Told to them."
    )
    gold_rate = serializers.FloatField(required=False, allow_null=True, min_value=0, max_value=1)
    third = serializers.BooleanField(required=False)


class PersonFiguresSerializer(serializers.Serializer[Any]):
    time = FigureSerializer()
    right = FigureSerializer()
    gold = FigureSerializer()
    accepted = FigureSerializer()


class PersonQualitySerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    figures = PersonFiguresSerializer()
    fields = FieldOfPersonSerializer(many=True)
    low_evidence = serializers.BooleanField()
    weeks = QualityWeekSerializer(many=True)
    alerts = AlertSerializer(many=True)
    standing = StandingSerializer()


class OwnFieldSerializer(FigureSerializer):
    key = serializers.CharField()
    low_evidence = serializers.BooleanField()


class OwnFiguresSerializer(serializers.Serializer[Any]):
    time = FigureSerializer()
    right = FigureSerializer()


class OwnQualitySerializer(serializers.Serializer[Any]):
    until = serializers.DateField(help_text="Full weeks only: what is of this one comes on Monday.")
    figures = OwnFiguresSerializer()
    fields = OwnFieldSerializer(many=True)
    weeks = QualityWeekSerializer(many=True)


class PersonView(QualityOfProject):
    """One annotator of a project."""

    @extend_schema(operation_id="quality_person", responses=PersonQualitySerializer)
    def get(self, request: Request, project_id: int, user_id: int) -> Response:
        project = self.project(project_id)
        person = _annotator(project, user_id)
        return Response(people.one_of(project, person.user_id))


class StandingView(QualityOfProject):
    """How an annotator is handed a project's tasks."""

    access = {"PUT": ADMINS}

    @extend_schema(
        operation_id="change_standing",
        request=StandingChangeSerializer,
        responses=StandingSerializer,
    )
    def put(self, request: Request, project_id: int, user_id: int) -> Response:
        project = self.project(project_id)
        person = _annotator(project, user_id)
        form = StandingChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        row = standings.change(
            project=project, annotator=person.user_id, actor=self.person, **form.validated_data
        )
        return Response(people.standing_json(row))


class OwnQualityView(QualityOfProject):
    """One's own record in a project."""

    access = {"GET": ANNOTATORS}

    @extend_schema(operation_id="my_quality", responses=OwnQualitySerializer)
    def get(self, request: Request, project_id: int) -> Response:
        return Response(people.of_oneself(self.project(project_id), self.person.pk))


def _annotator(project: Project, user_id: int) -> Membership:
    rows = Membership.objects.filter(site=project.site_id, role=Role.ANNOTATOR)
    return get_object_or_404(rows, user=user_id)
