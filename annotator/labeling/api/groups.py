"""Groups of near-duplicates: which photos hang together, and what is decided of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from annotator.accounts.api import site_of
from annotator.accounts.states import STAFF
from annotator.accounts.views import SiteView
from annotator.captures.api import CaptureSerializer, ImageUrlsSerializer, capture_json
from annotator.captures.models import Capture, Scene
from annotator.core.paging import SitePageQuery, page_of, paged
from annotator.media.pictures import distance
from annotator.media.queries import image_urls

from .. import queries
from ..states import TaskState


class GroupSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="Of its first scene.")
    scene = serializers.CharField()
    scenes = serializers.IntegerField()
    images = ImageUrlsSerializer()
    created_at = serializers.DateTimeField()


class MemberTaskSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    project = serializers.CharField()
    project_id = serializers.IntegerField()
    state = serializers.ChoiceField(TaskState.choices)
    carried_over = serializers.BooleanField(help_text="The scene takes another one's decision.")


class GroupMemberSerializer(CaptureSerializer):
    scene = serializers.CharField()
    distance = serializers.IntegerField(help_text="From the first picture, bits of 64.")
    duplicate_distance = serializers.IntegerField(
        allow_null=True, help_text="From the picture that it was linked to, bits of 64."
    )
    tasks = MemberTaskSerializer(many=True)


class GroupDetailSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    members = GroupMemberSerializer(many=True)


class GroupsView(SiteView):
    """Scenes that near-duplicates link, by group, newest first."""

    access = {"GET": STAFF}

    @extend_schema(
        operation_id="capture_groups", parameters=[SitePageQuery], responses=paged(GroupSerializer)
    )
    def get(self, request: Request) -> Response:
        named = request.query_params.get("site")
        rows = queries.groups_of([site_of(self).pk] if named else self.sites)
        return page_of(request, rows, _groups_json)


def _groups_json(groups: Sequence[Scene]) -> list[dict[str, Any]]:
    first = Capture.objects.filter(scene__in=groups).order_by("-pk").values_list("scene", "image")
    covers = dict(first)
    return [
        {
            "id": group.pk,
            "scene": group.key,
            "scenes": getattr(group, "scenes"),  # noqa: B009 - annotated
            "images": image_urls(covers.get(group.pk, 0)),
            "created_at": group.created_at,
        }
        for group in groups
    ]


class GroupView(SiteView):
    """One group: its captures, how near they are, and the tasks that decide of them."""

    access = {"GET": STAFF}

    @extend_schema(operation_id="capture_group", responses=GroupDetailSerializer)
    def get(self, request: Request, group_id: int) -> Response:
        group = get_object_or_404(queries.groups_of(self.sites), pk=group_id)
        members = queries.group_members(group.pk)
        tasks = queries.tasks_of_scenes({member.scene_id for member in members})
        return Response(
            {
                "id": group.pk,
                "members": [
                    {
                        **capture_json(member),
                        "scene": member.scene.key,
                        "distance": distance(members[0].image.phash, member.image.phash),
                        "duplicate_distance": member.duplicate_distance,
                        "tasks": [
                            {
                                "id": task.pk,
                                "project": task.project.name,
                                "project_id": task.project_id,
                                "state": task.state,
                                "carried_over": carried,
                            }
                            for task, carried in tasks.get(member.scene_id, [])
                        ],
                    }
                    for member in members
                ],
            }
        )
