"""The quality page: figures, where they come from, and the tasks behind them."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from django.http import StreamingHttpResponse
from django.shortcuts import get_object_or_404
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Membership, Project
from annotator.accounts.states import ADMINS, ANNOTATORS, STAFF, Role
from annotator.accounts.views import SiteView
from annotator.core.csvs import no_formula
from annotator.core.errors import FieldError, Invalid
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling import standings
from annotator.labeling.api.projects import thumbs_of
from annotator.labeling.api.serializers import TaskSerializer, task_json
from annotator.review.api.tasks import StartedJobSerializer
from annotator.review.queries import decisions_by_task

from . import doubting, people, queries, trials
from .metrics import metric_of
from .models import Alert, Dimension, Doubt, Fact

BY = [d.value for d in Dimension if d != Dimension.ALL] + ["week"]


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


class SinceQuery(serializers.Serializer[Any]):
    weeks = serializers.IntegerField(
        required=False, min_value=1, max_value=520, help_text="Of the last weeks only."
    )


class BreakdownQuery(SinceQuery):
    metric = serializers.CharField()
    by = serializers.ChoiceField(BY)


class FactsQuery(SinceQuery, PageQuery):
    metric = serializers.CharField()
    by = serializers.ChoiceField(BY, required=False)
    at = serializers.CharField(required=False)
    flawed = serializers.BooleanField(
        default=False, help_text="Only those that leave something to look at."
    )


class FactSerializer(serializers.Serializer[Any]):
    task = TaskSerializer()
    annotation = serializers.IntegerField(allow_null=True)
    day = serializers.DateField()
    value = serializers.FloatField()
    caption = serializers.CharField(allow_null=True, help_text="Of the answer, or as decided.")
    who = serializers.CharField(allow_blank=True)
    thumb = serializers.CharField(allow_null=True)


class _QualityOfProject(SiteView):
    access = {"GET": STAFF}

    def project(self, project_id: int) -> Project:
        return get_object_or_404(Project, pk=project_id, site__in=self.sites)

    def asked(self, form: type[serializers.Serializer[Any]]) -> dict[str, Any]:
        query = form(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        asked = dict(query.validated_data)
        asked["since"] = _since(asked.pop("weeks", None))
        if "metric" in asked:
            try:
                metric_of(asked["metric"])
            except LookupError as error:
                raise Invalid([FieldError("metric", "not_found")]) from error
        return asked


def _since(weeks: int | None) -> date | None:
    """The Monday with which the last ``weeks`` begin, this one included."""
    if weeks is None:
        return None
    today = timezone.localdate()
    return today - timedelta(days=today.weekday() + 7 * (weeks - 1))


class QualityView(_QualityOfProject):
    """The quality figures of a project."""

    @extend_schema(operation_id="quality", parameters=[SinceQuery], responses=QualitySerializer)
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        report = queries.report(project, since=self.asked(SinceQuery)["since"])
        return Response({**report, "alerts": people.open_alerts(project)})


class BreakdownView(_QualityOfProject):
    """Where one figure comes from."""

    @extend_schema(
        operation_id="quality_breakdown",
        parameters=[BreakdownQuery],
        responses=BreakdownRowSerializer(many=True),
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        return Response(queries.breakdown(project, **self.asked(BreakdownQuery)))


class FactsView(_QualityOfProject):
    """The very tasks and answers that a figure is made of, newest first."""

    @extend_schema(
        operation_id="quality_tasks", parameters=[FactsQuery], responses=paged(FactSerializer)
    )
    def get(self, request: Request, project_id: int) -> Response:
        project = self.project(project_id)
        asked = self.asked(FactsQuery)
        asked = {k: v for k, v in asked.items() if k not in ("cursor", "page_size")}
        rows = queries.facts_behind(project, **asked)
        kind = metric_of(asked["metric"])

        def present(found: Sequence[Fact]) -> list[dict[str, Any]]:
            return _facts_json(found, kind.key, kind.per)

        return page_of(request, rows, present, ordering=("-day", "-id"))


class QualityTableView(_QualityOfProject):
    """Every figure as CSV."""

    @extend_schema(
        operation_id="quality_table",
        parameters=[SinceQuery],
        responses={(200, "text/csv"): OpenApiResponse(OpenApiTypes.STR)},
    )
    def get(self, request: Request, project_id: int) -> StreamingHttpResponse:
        project = self.project(project_id)
        lines = queries.lines_of(project, self.asked(SinceQuery)["since"])
        response = StreamingHttpResponse(_csv(lines), content_type="text/csv; charset=utf-8")
        name = f"{project.slug}-quality.csv"
        response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
        return response


def _csv(lines: Iterable[Sequence[Any]]) -> Iterator[str]:
    yield "\ufeff"  # or Excel takes the names for Latin ones
    for line in lines:
        out = io.StringIO()
        csv.writer(out).writerow([no_formula(cell) for cell in line])
        yield out.getvalue()


def _facts_json(found: Sequence[Fact], metric: str, per: float) -> list[dict[str, Any]]:
    decisions = decisions_by_task([fact.task_id for fact in found])
    thumbs = thumbs_of([fact.task.scene_id for fact in found])
    names = queries.names_of(f.annotation.author_id for f in found if f.annotation)
    rows = []
    for fact in found:
        decision = decisions.get(fact.task_id)
        caption = fact.annotation.caption if fact.annotation else decision and decision.caption
        rows.append(
            {
                "task": task_json(fact.task),
                "annotation": fact.annotation_id,
                "day": fact.day,
                "value": round(fact.readings[metric] / per, 2),
                "caption": caption,
                "who": names.get(fact.annotation.author_id, "") if fact.annotation else "",
                "thumb": thumbs.get(fact.task.scene_id),
            }
        )
    return rows


# --- doubts --------------------------------------------------------------------------------------


class DoubtReasonSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(["barcode", "model", "neighbours", "spec"])
    sku = serializers.CharField(help_text="That speaks against the decided one.")
    share = serializers.FloatField(required=False, help_text="How sure of it, 0…1.")
    spec = serializers.CharField(required=False, help_text="As the catalog has it.")


class DoubtSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    task = serializers.IntegerField()
    caption = serializers.CharField()
    score = serializers.FloatField(help_text="0…1.")
    proposed = serializers.CharField(allow_blank=True)
    why = DoubtReasonSerializer(many=True)
    thumb = serializers.CharField(allow_null=True)
    found_at = serializers.DateTimeField()


class DoubtsView(_QualityOfProject):
    """Decided captions that the pictures contradict, the most doubtful first."""

    access = {"GET": STAFF, "POST": STAFF}

    @extend_schema(operation_id="doubts", parameters=[PageQuery], responses=paged(DoubtSerializer))
    def get(self, request: Request, project_id: int) -> Response:
        rows = doubting.open_doubts(self.project(project_id))

        def present(found: Sequence[Doubt]) -> list[dict[str, Any]]:
            thumbs = thumbs_of([row.decision.task.scene_id for row in found])
            return [
                {
                    "id": row.pk,
                    "task": row.decision.task_id,
                    "caption": row.decision.caption,
                    "score": row.score,
                    "proposed": row.proposed,
                    "why": row.why,
                    "thumb": thumbs.get(row.decision.task.scene_id),
                    "found_at": row.found_at,
                }
                for row in found
            ]

        return page_of(request, rows, present, ordering=("-score", "id"))

    @extend_schema(operation_id="find_doubts", request=None, responses={202: StartedJobSerializer})
    def post(self, request: Request, project_id: int) -> Response:
        job = doubting.start(project=self.project(project_id), actor=self.person)
        return Response({"job": job.pk}, status=202)


# --- people --------------------------------------------------------------------------------------


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


class PersonView(_QualityOfProject):
    """One annotator of a project."""

    @extend_schema(operation_id="quality_person", responses=PersonQualitySerializer)
    def get(self, request: Request, project_id: int, user_id: int) -> Response:
        project = self.project(project_id)
        person = _annotator(project, user_id)
        return Response(people.one_of(project, person.user_id))


class StandingView(_QualityOfProject):
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


class OwnQualityView(_QualityOfProject):
    """One's own record in a project."""

    access = {"GET": ANNOTATORS}

    @extend_schema(operation_id="my_quality", responses=OwnQualitySerializer)
    def get(self, request: Request, project_id: int) -> Response:
        return Response(people.of_oneself(self.project(project_id), self.person.pk))


def _annotator(project: Project, user_id: int) -> Membership:
    rows = Membership.objects.filter(site=project.site_id, role=Role.ANNOTATOR)
    return get_object_or_404(rows, user=user_id)


class ShareSerializer(serializers.Serializer[Any]):
    n = serializers.IntegerField()
    value = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True, help_text="Of the 95% interval.")
    high = serializers.FloatField(allow_null=True)


class ArmSerializer(serializers.Serializer[Any]):
    model = serializers.IntegerField(allow_null=True, help_text="Null: the shipped one.")
    name = serializers.CharField(allow_null=True)
    answers = serializers.IntegerField(help_text="To which its suggestion was shown.")
    unchanged = ShareSerializer(help_text="Answers with all that was proposed.")
    fields = serializers.DictField(
        child=ShareSerializer(), help_text="Of what was proposed, by field."
    )
    edits = ShareSerializer(
        help_text="Characters between the caption proposed and the one decided."
    )
    seconds = ShareSerializer(help_text="Active seconds an answer.")


class ArmsQuery(serializers.Serializer[Any]):
    since = serializers.DateTimeField(required=False)


class ArmsView(SiteView):
    """What becomes of each model's suggestions on a site, with 95% intervals."""

    access = {"GET": ADMINS}

    @extend_schema(
        operation_id="model_arms", parameters=[ArmsQuery], responses=ArmSerializer(many=True)
    )
    def get(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        query = ArmsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        return Response(trials.arms(site, since=query.validated_data.get("since")))
