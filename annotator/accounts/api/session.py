"""Signing in and out, and one's own settings."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from annotator.core.errors import FieldError, Invalid

from ..models import User
from ..permissions import PUBLIC, SIGNED_IN
from ..queries import roles_by_site
from ..states import Role
from ..views import SiteView
from . import SiteSerializer, site_json


class MembershipSerializer(serializers.Serializer[Any]):
    site = SiteSerializer()
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices))


class ShortcutsField(serializers.DictField):
    """A person's own keys by action, for example ``{"draw": "q"}``. Actions and keys are the
    browser's to know; a key is written as it names it: ``mod+shift+z``."""

    MAX_ENTRIES = 100
    child = serializers.RegexField(r"^(?:mod\+)?(?:alt\+)?(?:shift\+)?[^\s+]{1,16}$|^[+]$")

    def to_internal_value(self, data: Any) -> dict[str, str]:
        kept: dict[str, str] = super().to_internal_value(data)
        if len(kept) > self.MAX_ENTRIES or any(not key.isidentifier() for key in kept):
            raise Invalid([FieldError("shortcuts", "bad_shortcuts", {"limit": self.MAX_ENTRIES})])
        return kept


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    language = serializers.ChoiceField(["zh-hans", "en", "ja"])
    theme = serializers.ChoiceField(["auto", "light", "dark"])
    shortcuts = ShortcutsField()
    columns = serializers.DictField(
        child=serializers.ListField(child=serializers.CharField()),
        help_text="The columns that the person chose, by list.",
    )
    is_superuser = serializers.BooleanField()
    memberships = MembershipSerializer(many=True)


class SessionSerializer(serializers.Serializer[Any]):
    authenticated = serializers.BooleanField()
    csrf_token = serializers.CharField()
    user = UserSerializer(required=False)


class SignInSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=64)
    password = serializers.CharField(max_length=256, trim_whitespace=False)


LISTS = frozenset(
    {"tasks", "disputes", "captures", "catalog", "members", "projects", "jobs", "feedback", "audit"}
)
"""The lists whose columns a person may choose."""


class MeSerializer(serializers.Serializer[Any]):
    language = serializers.ChoiceField(["zh-hans", "en", "ja"], required=False)
    theme = serializers.ChoiceField(["auto", "light", "dark"], required=False)
    shortcuts = ShortcutsField(required=False)
    display_name = serializers.CharField(max_length=64, required=False)
    columns = serializers.DictField(
        child=serializers.ListField(
            child=serializers.CharField(max_length=32), max_length=40, allow_null=True
        ),
        required=False,
        help_text="The columns of the lists named here (null: as they come); others stay as they are.",
    )

    def validate_columns(self, value: dict[str, Any]) -> dict[str, Any]:
        """Only lists that there are."""
        if unknown := set(value) - LISTS:
            raise serializers.ValidationError(", ".join(sorted(unknown)))
        return value


def user_json(user: User) -> dict[str, Any]:
    """The signed-in person."""
    return {
        "id": user.pk,
        "username": user.username,
        "display_name": str(user),
        "language": user.language,
        "theme": user.theme,
        "shortcuts": user.shortcuts,
        "columns": user.columns,
        "is_superuser": user.is_superuser,
        "memberships": [
            {"site": site_json(site), "roles": roles}
            for site, roles in roles_by_site(user).values()
        ],
    }


def _session_json(request: Request) -> dict[str, Any]:
    data: dict[str, Any] = {
        "authenticated": isinstance(request.user, User),
        "csrf_token": get_token(request._request),
    }
    if isinstance(request.user, User):
        data["user"] = user_json(request.user)
    return data


class SessionView(SiteView):
    """The browser's session."""

    access = {"GET": PUBLIC, "POST": PUBLIC, "DELETE": PUBLIC}
    throttle_scope = "sign_in"

    def get_throttles(self) -> list[Any]:
        return [ScopedRateThrottle()] if self.request.method == "POST" else []

    @extend_schema(operation_id="session", responses=SessionSerializer)
    def get(self, request: Request) -> Response:
        return Response(_session_json(request))

    @extend_schema(operation_id="sign_in", request=SignInSerializer, responses=SessionSerializer)
    @method_decorator(csrf_protect)
    def post(self, request: Request) -> Response:
        form = SignInSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user = authenticate(request._request, **form.validated_data)
        if not isinstance(user, User):
            raise Invalid([FieldError("", "bad_credentials")])
        login(request._request, user)
        request.user = user
        return Response(_session_json(request))

    @extend_schema(operation_id="sign_out", responses={204: None})
    def delete(self, request: Request) -> Response:
        logout(request._request)
        return Response(status=204)


class MeView(SiteView):
    """One's own settings."""

    access = {"PATCH": SIGNED_IN}

    @extend_schema(operation_id="change_me", request=MeSerializer, responses=UserSerializer)
    def patch(self, request: Request) -> Response:
        form = MeSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        user, data = self.person, form.validated_data
        if "columns" in data:
            chosen = {**user.columns, **data["columns"]}
            data["columns"] = {key: value for key, value in chosen.items() if value is not None}
        for key, value in data.items():
            setattr(user, key, value)
        user.save(update_fields=list(data) or None)
        return Response(user_json(user))
