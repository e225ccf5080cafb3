"""Runs: asked for, watched, stopped, tried again."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.captures.models import Capture
from annotator.core.paging import PageQuery, page_of, paged
from annotator.datasets.models import Snapshot
from annotator.media.queries import image_urls
from annotator.training import attempts, gates, queries, results, services
from annotator.training.models import TrainingRun
from annotator.training.supervision import LOG_TAIL_BYTES, tail_of

from . import serializers as s

MOST_PICTURES = 200


class _RunView(SiteView):
    def run(self, site_id: int, run_id: int) -> TrainingRun:
        site = get_object_or_404(self.sites, pk=site_id)
        found: TrainingRun = get_object_or_404(queries.runs_of(site), pk=run_id)
        return found


class RunsView(SiteView):
    """The runs of a site, newest first."""

    access = {"GET": ADMINS, "POST": ADMINS}

    @extend_schema(
        operation_id="training_runs", parameters=[PageQuery], responses=paged(s.RunSerializer)
    )
    def get(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        return page_of(request, queries.runs_of(site), s.runs_json)

    @extend_schema(
        operation_id="start_training",
        request=s.StartRunSerializer,
        responses={202: s.RunDetailSerializer},
    )
    def post(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        form = s.StartRunSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        rows = Project.objects.select_related("site").filter(site=site)
        project = get_object_or_404(rows, pk=asked["project"])
        snapshot = None
        if asked.get("snapshot") is not None:
            snapshot = get_object_or_404(Snapshot, pk=asked["snapshot"], project=project)
        run = services.start_run(
            project=project,
            method=asked["method"],
            arguments=asked.get("arguments", {}),
            snapshot=snapshot,
            actor=self.person,
        )
        return Response(s.detail_json(run), status=202)


class RunView(_RunView):
    """One run, with the gate's verdict."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="training_run", responses=s.RunDetailSerializer)
    def get(self, request: Request, site_id: int, run_id: int) -> Response:
        return Response(s.detail_json(self.run(site_id, run_id)))


class CancelRunView(_RunView):
    """Ask a run to stop."""

    access = {"POST": ADMINS}

    @extend_schema(operation_id="cancel_training", request=None, responses=s.RunDetailSerializer)
    def post(self, request: Request, site_id: int, run_id: int) -> Response:
        run = services.cancel_run(run=self.run(site_id, run_id), actor=self.person)
        return Response(s.detail_json(run))


class RetryRunView(_RunView):
    """Another attempt of a run that failed or was cancelled, which goes on where it stopped."""

    access = {"POST": ADMINS}

    @extend_schema(operation_id="retry_training", request=None, responses=s.RunDetailSerializer)
    def post(self, request: Request, site_id: int, run_id: int) -> Response:
        run = services.retry_run(run=self.run(site_id, run_id), actor=self.person)
        return Response(s.detail_json(run))


class CurveView(_RunView):
    """How the training went, epoch by epoch."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="training_curve", responses=s.CurveSerializer)
    def get(self, request: Request, site_id: int, run_id: int) -> Response:
        run = self.run(site_id, run_id)
        path = services.folder_of(run) / attempts.MODEL / results.PROGRESS
        return Response({"epochs": [s.epoch_json(line) for line in results.curve(path)]})


class LogQuery(serializers.Serializer[Any]):
    bytes = serializers.IntegerField(
        required=False, default=LOG_TAIL_BYTES, min_value=1, max_value=1 << 20
    )


class LogView(_RunView):
    """The end of what the trainer wrote."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="training_log", parameters=[LogQuery], responses=s.LogSerializer)
    def get(self, request: Request, site_id: int, run_id: int) -> Response:
        query = LogQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        log = services.folder_of(self.run(site_id, run_id)) / attempts.LOG
        return Response({"tail": tail_of(log, most=query.validated_data["bytes"])})


class ResultsQuery(serializers.Serializer[Any]):
    show = serializers.ChoiceField(["wrong", "won", "lost"], required=False, default="wrong")


class ResultsView(_RunView):
    """What the challenger has wrong, the surest first, or where it differs from the champion."""

    access = {"GET": ADMINS}

    @extend_schema(
        operation_id="training_results",
        parameters=[ResultsQuery],
        responses=s.ResultsSerializer,
    )
    def get(self, request: Request, site_id: int, run_id: int) -> Response:
        query = ResultsQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        run = self.run(site_id, run_id)
        folder = services.folder_of(run)
        pictures = results.pictures_in(folder / attempts.MODEL / results.ANSWERS)
        former = folder / attempts.CHAMPION_ANSWERS
        before = results.answers_in(former) if former.exists() else []
        changes = gates.changed(before, [picture.answer for picture in pictures])
        show = query.validated_data["show"]
        worst = results.worst_of(pictures)
        shown = worst
        if show != "wrong":
            shown = [p for p in pictures if changes.get(p.answer.image_id) == show]
        shown = shown[:MOST_PICTURES]
        captures = _captures(run.site_id, [picture.answer.image_id for picture in shown])
        kinds = list(changes.values())
        return Response(
            {
                "photos": len(pictures),
                "wrong": len(worst),
                "won": kinds.count("won"),
                "lost": kinds.count("lost"),
                "confusions": [
                    {"truth": true, "said": said, "count": n}
                    for true, said, n in results.confusions(pictures)
                ],
                "pictures": [
                    _picture_json(p, captures.get(p.answer.image_id), changes) for p in shown
                ],
            }
        )


def _captures(site_id: int, names: list[str]) -> dict[str, Capture]:
    rows = Capture.objects.filter(site=site_id, image_id_text__in=names)
    return {row.image_id_text: row for row in rows}


def _picture_json(
    picture: results.Picture, capture: Capture | None, changes: dict[str, str]
) -> dict[str, Any]:
    answer = picture.answer
    return {
        "image_id": answer.image_id,
        "capture": capture.pk if capture else None,
        "thumb": image_urls(capture.image_id)["thumb"] if capture else None,
        "change": changes.get(answer.image_id),
        "group": answer.group,
        "fields": [
            {
                "field": key,
                "truth": picture.truth.get(key),
                "said": picture.said.get(key),
                "confidence": picture.confidence.get(key),
                "right": right,
            }
            for key, right in answer.correct.items()
        ],
    }
