"""When runs start by themselves, and what a challenger must reach."""

from __future__ import annotations

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.models import Project
from annotator.accounts.states import ADMINS
from annotator.accounts.views import SiteView
from annotator.core.http import IF_MATCH, version_seen
from annotator.training import queries, scheduling
from annotator.training.models import GateSettings, Schedule

from . import serializers as s


class ScheduleView(SiteView):
    """A site's schedule; until one is put, one that is off (version 0)."""

    access = {"GET": ADMINS, "PUT": ADMINS}

    @extend_schema(operation_id="training_schedule", responses=s.ScheduleSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        return _schedule(scheduling.schedule_of(get_object_or_404(self.sites, pk=site_id)))

    @extend_schema(
        operation_id="set_training_schedule",
        parameters=[IF_MATCH],
        request=s.ScheduleSerializer,
        responses=s.ScheduleSerializer,
    )
    def put(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        form = s.ScheduleSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fresh = Schedule()
        whole = {
            name: getattr(fresh, name) for name in scheduling.SCHEDULE_FIELDS if name != "project"
        }
        asked = form.validated_data
        project = get_object_or_404(Project, pk=asked["project"], site=site)
        row = scheduling.set_schedule(
            site=site,
            values={**whole, **asked, "project": project},
            seen=version_seen(request),
            actor=self.person,
        )
        return _schedule(row)


class GateView(SiteView):
    """A site's gate; the defaults until one is put."""

    access = {"GET": ADMINS, "PUT": ADMINS}

    @extend_schema(operation_id="training_gate", responses=s.GateSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        return _gate(queries.gate_of(get_object_or_404(self.sites, pk=site_id)))

    @extend_schema(
        operation_id="set_training_gate",
        parameters=[IF_MATCH],
        request=s.GateSerializer,
        responses=s.GateSerializer,
    )
    def put(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        form = s.GateSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        fresh = GateSettings()
        whole = {name: getattr(fresh, name) for name in scheduling.GATE_FIELDS}
        row = scheduling.set_gate(
            site=site,
            values={**whole, **form.validated_data},
            seen=version_seen(request),
            actor=self.person,
        )
        return _gate(row)


def _schedule(row: Schedule) -> Response:
    return Response(s.schedule_json(row), headers={"ETag": f'"{row.version}"'})


def _gate(row: GateSettings) -> Response:
    return Response(s.GateSerializer(row).data, headers={"ETag": f'"{row.version}"'})
