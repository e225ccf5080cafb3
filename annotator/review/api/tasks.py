"""The list of tasks, one task, and what an admin does to many at once."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import project_of
from annotator.accounts.api.audit import AuditSerializer, audit_json
from annotator.accounts.models import Project
from annotator.accounts.queries import roles_on
from annotator.accounts.states import ADMINS, LABELERS, STAFF, Role
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, capture_json
from annotator.captures.queries import captures_of_scene
from annotator.core.errors import NotFound
from annotator.core.paging import PageQuery, page_of, paged
from annotator.labeling import gold
from annotator.labeling import queries as labeling_queries
from annotator.labeling import services as labeling
from annotator.labeling.api.projects import SchemaSerializer, thumbs_of
from annotator.labeling.api.serializers import TaskSerializer, task_json
from annotator.labeling.models import Task
from annotator.labeling.revalidation import schemas_used
from annotator.labeling.states import TaskState

from .. import bulk, queries
from ..models import Decision
from ..selection import ORDERINGS, select_tasks
from .serializers import DecisionSerializer, SideSerializer, TaskOfSite, decision_json, sides_json


class TaskRowSerializer(TaskSerializer):
    caption = serializers.CharField(allow_null=True)
    source = serializers.CharField(allow_null=True)
    thumb = serializers.CharField(allow_null=True)
    annotation_count = serializers.IntegerField(allow_null=True)
    batch = serializers.IntegerField(allow_null=True, help_text="The batch that it is in.")


class TaskDetailSerializer(TaskSerializer):
    captures = CaptureSerializer(many=True)
    carried_over = CaptureSerializer(
        many=True, help_text="Near-duplicates that take this task's decision."
    )
    decision = DecisionSerializer(allow_null=True)
    answers = SideSerializer(many=True)
    schemas = serializers.DictField(
        child=SchemaSerializer(), help_text="The schemas of the decision and answers, by version."
    )
    history = AuditSerializer(many=True)
    gold = serializers.BooleanField(
        allow_null=True, help_text="Annotators are measured by it. Null for all but admins."
    )


class TaskChangeSerializer(serializers.Serializer[Any]):
    priority = serializers.ChoiceField(["normal", "urgent"])


class TaskFilterSerializer(serializers.Serializer[Any]):
    state = serializers.ChoiceField(TaskState.choices, required=False)
    priority = serializers.ChoiceField(["normal", "urgent"], required=False)
    source = serializers.ChoiceField(Decision.Source.choices, required=False)
    sku = serializers.CharField(required=False)
    batch = serializers.IntegerField(required=False)
    search = serializers.CharField(
        required=False,
        allow_blank=True,
        help_text="A task's number, the beginning of a picture's or scene's name, or a product.",
    )


class TaskQuery(TaskFilterSerializer, PageQuery):
    project = serializers.IntegerField(
        required=False, help_text="May be left out when there is one."
    )
    sort = serializers.ChoiceField(list(ORDERINGS), default="newest")


class SelectionSerializer(TaskFilterSerializer):
    ids = serializers.ListField(child=serializers.IntegerField(), required=False, max_length=10_000)


class BulkSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(bulk.ACTIONS)
    selection = SelectionSerializer(help_text="All of the project's tasks when empty.")
    value = serializers.JSONField(
        required=False,
        allow_null=True,
        default=None,
        help_text="The priority (normal, urgent), the id of the project to move to, or the id of the "
        "batch to put them in (null: in none).",
    )


class StartedJobSerializer(serializers.Serializer[Any]):
    job = serializers.IntegerField()


class TasksView(SiteView):
    """The tasks of the caller's sites."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="tasks", parameters=[TaskQuery], responses=paged(TaskRowSerializer))
    def get(self, request: Request) -> Response:
        query = TaskQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        data = query.validated_data
        project = project_of(self, data.get("project"))
        rows = select_tasks(project, data).select_related("project", "scene")
        return page_of(request, rows, self._rows, ordering=ORDERINGS[data["sort"]])

    def _rows(self, rows: Sequence[Task]) -> list[dict[str, Any]]:
        decisions = queries.decisions_by_task([row.pk for row in rows])
        thumbs = thumbs_of([row.scene_id for row in rows])
        return [
            {
                **task_json(row),
                "caption": decisions[row.pk].caption if row.pk in decisions else None,
                "source": decisions[row.pk].source if row.pk in decisions else None,
                "thumb": thumbs.get(row.scene_id),
                "annotation_count": row.answers,
                "batch": row.batch_id,
            }
            for row in rows
        ]


class BulkView(SiteView):
    """Do one thing to many tasks, as a job."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="bulk_tasks", request=BulkSerializer, responses={202: StartedJobSerializer}
    )
    def post(self, request: Request, project_id: int) -> Response:
        project = get_object_or_404(Project, pk=project_id, site__in=self.sites)
        form = BulkSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        job = bulk.start_bulk(
            project=project,
            action=data["action"],
            wanted=data["selection"],
            value=data["value"],
            actor=self.person,
        )
        return Response({"job": job.pk}, status=202)


class TaskView(TaskOfSite):
    """One task, its decision and history. Annotators see a task that they answered, and only their
    own part of it."""

    access = {"GET": LABELERS, "PATCH": ADMINS}

    @extend_schema(operation_id="task", responses=TaskDetailSerializer)
    def get(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        roles = roles_on(self.person, task.project.site_id)
        staff = bool(roles & STAFF)
        answers = list(
            labeling_queries.visible_to(self.person)
            .filter(task=task, withdrawn_at=None)
            .select_related("author")
            .order_by("id")
        )
        if not staff and not answers:
            raise NotFound()
        decision = queries.current_decision(task) if staff else None
        records = None
        if staff and task.state in (TaskState.DECIDED, TaskState.REJECTED):
            people = [row.author_id for row in answers]
            records = queries.records_of(people, task.project_id)
        versions = [row.schema_version for row in answers]
        if decision is not None:
            versions.append(decision.schema_version)
        return Response(
            {
                **task_json(task, blind=not staff),
                "captures": [capture_json(c) for c in captures_of_scene(task.scene_id)],
                "carried_over": [capture_json(c) for c in labeling_queries.carried_over(task)],
                "decision": decision_json(decision),
                "answers": sides_json(task, answers, records=records, own=not staff),
                "schemas": schemas_used(task.project, versions),
                "history": (
                    [audit_json(row) for row in queries.history_of(task)]
                    if staff and task.state in labeling_queries.SETTLED
                    else []
                ),
                "gold": gold.is_measured_by(task) if Role.ADMIN in roles else None,
            }
        )

    @extend_schema(
        operation_id="change_task", request=TaskChangeSerializer, responses=TaskSerializer
    )
    def patch(self, request: Request, task_id: int) -> Response:
        task = self.task(task_id)
        form = TaskChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        task = labeling.change_priority(
            task=task,
            priority=Task.Priority[form.validated_data["priority"].upper()],
            actor=self.person,
        )
        return Response(task_json(task))
