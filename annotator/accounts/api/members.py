"""Who works on a site: roles, accounts and passwords."""

from __future__ import annotations

from typing import Any

from django.db import transaction
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from .. import services
from ..models import Membership, Site, User
from ..policies import answered_for_elsewhere
from ..queries import roles_on
from ..states import ADMINS, STAFF, Role
from ..views import SiteView
from . import SiteQuery, site_of


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    display_name = serializers.CharField()


class LimitsSerializer(serializers.Serializer[Any]):
    """Empty lists do not limit."""

    categories = serializers.ListField(
        child=serializers.IntegerField(), max_length=200, help_text="Each with all below it."
    )
    languages = serializers.ListField(child=serializers.ChoiceField(["zh-hans", "en", "ja"]))


class MemberSerializer(serializers.Serializer[Any]):
    user = PersonSerializer()
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices))
    active = serializers.BooleanField(help_text="False when the account is closed.")
    service = serializers.BooleanField(help_text="A machine's account.")
    manageable = serializers.BooleanField(
        help_text="I may close the account and reset its password."
    )
    limits = LimitsSerializer(
        allow_null=True, help_text="What an annotator is handed; told to admins only."
    )
    password = serializers.CharField(required=False, help_text="Of a new account; shown this once.")


class NewMemberSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField()
    username = serializers.CharField(max_length=64)
    display_name = serializers.CharField(
        max_length=64, required=False, allow_blank=True, default=""
    )
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices), min_length=1)


class MemberChangeSerializer(serializers.Serializer[Any]):
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices), required=False)
    active = serializers.BooleanField(required=False)


class PasswordSerializer(serializers.Serializer[Any]):
    password = serializers.CharField(help_text="Shown this once.")


class MembersView(SiteView):
    """Who works on a site."""

    access = {"GET": STAFF, "POST": ADMINS}

    @extend_schema(
        operation_id="members", parameters=[SiteQuery], responses=MemberSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        return Response(members_json(site_of(self), self.person))

    @extend_schema(
        operation_id="add_member", request=NewMemberSerializer, responses={201: MemberSerializer}
    )
    def post(self, request: Request) -> Response:
        form = NewMemberSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = dict(form.validated_data)
        site = get_object_or_404(self.sites, pk=data.pop("site"))
        user, password = services.add_member(site=site, actor=self.person, **data)
        (row,) = members_json(site, self.person, user=user)
        return Response({**row, **({"password": password} if password else {})}, status=201)


class _MemberView(SiteView):
    def member(self, user_id: int) -> tuple[Site, User]:
        site = site_of(self)
        rows = User.objects.filter(memberships__site=site, is_service=False).distinct()
        return site, get_object_or_404(rows, pk=user_id)


class MemberView(_MemberView):
    """One member: their roles here, and whether their account is open. Without roles they leave."""

    access = {"PATCH": ADMINS}

    @extend_schema(
        operation_id="change_member",
        parameters=[SiteQuery],
        request=MemberChangeSerializer,
        responses={200: MemberSerializer, 204: None},
    )
    def patch(self, request: Request, user_id: int) -> Response:
        site, user = self.member(user_id)
        form = MemberChangeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        data = form.validated_data
        with transaction.atomic():
            if "active" in data:
                services.set_active(site=site, user=user, active=data["active"], actor=self.person)
            if "roles" in data:
                roles = [Role(role) for role in data["roles"]]
                services.set_roles(site=site, user=user, roles=roles, actor=self.person)
        rows = members_json(site, self.person, user=user)
        return Response(rows[0]) if rows else Response(status=204)


class MemberPasswordView(_MemberView):
    """A new random password for a member."""

    access = {"POST": ADMINS}

    @extend_schema(
        operation_id="reset_password",
        parameters=[SiteQuery],
        request=None,
        responses=PasswordSerializer,
    )
    def post(self, request: Request, user_id: int) -> Response:
        site, user = self.member(user_id)
        password = services.reset_password(site=site, user=user, actor=self.person)
        return Response({"password": password})


def limits_json(membership: Membership) -> dict[str, Any]:
    """What an annotator is handed."""
    return {"categories": membership.categories, "languages": membership.languages}


def members_json(site: Site, actor: User, *, user: User | None = None) -> list[dict[str, Any]]:
    """The members of a site (or only ``user``), in three queries. Limits are kept from reviewers:
    they would tell whose an answer can be."""
    rows = Membership.objects.filter(site=site).select_related("user").order_by("user", "role")
    if user is not None:
        rows = rows.filter(user=user)
    elsewhere = answered_for_elsewhere(rows.values("user"), actor)
    tells_limits = Role.ADMIN in roles_on(actor, site.pk)
    people: dict[int, dict[str, Any]] = {}
    for row in rows:
        person = people.setdefault(
            row.user_id,
            {
                "user": {
                    "id": row.user_id,
                    "username": row.user.username,
                    "display_name": str(row.user),
                },
                "roles": [],
                "active": row.user.is_active,
                "service": row.user.is_service,
                "manageable": actor.is_superuser
                or not (row.user.is_superuser or row.user.is_service or row.user_id in elsewhere),
                "limits": None,
            },
        )
        if row.role == Role.ANNOTATOR and tells_limits:
            person["limits"] = limits_json(row)
        person["roles"].append(row.role)
    return list(people.values())
