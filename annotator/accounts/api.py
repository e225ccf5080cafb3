"""Signing in, one's own settings, members and tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.middleware.csrf import get_token
from django.shortcuts import get_object_or_404
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import ScopedRateThrottle

from annotator.core.errors import FieldError, Invalid
from annotator.core.models import AuditEntry
from annotator.core.paging import SitePageQuery, page_of, paged

from . import services
from .models import ApiToken, Membership, Site, User
from .permissions import PUBLIC, SIGNED_IN
from .queries import roles_by_site
from .states import ADMINS, STAFF, Role
from .views import SiteView


class SiteSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


class MembershipSerializer(serializers.Serializer[Any]):
    site = SiteSerializer()
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices))


class UserSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    display_name = serializers.CharField()
    language = serializers.ChoiceField(["zh-hans", "en", "ja"])
    theme = serializers.ChoiceField(["auto", "light", "dark"])
    is_superuser = serializers.BooleanField()
    memberships = MembershipSerializer(many=True)


class SessionSerializer(serializers.Serializer[Any]):
    authenticated = serializers.BooleanField()
    csrf_token = serializers.CharField()
    user = UserSerializer(required=False)


class SignInSerializer(serializers.Serializer[Any]):
    username = serializers.CharField(max_length=64)
    password = serializers.CharField(max_length=256, trim_whitespace=False)


class MeSerializer(serializers.Serializer[Any]):
    language = serializers.ChoiceField(["zh-hans", "en", "ja"], required=False)
    theme = serializers.ChoiceField(["auto", "light", "dark"], required=False)
    display_name = serializers.CharField(max_length=64, required=False)


class PersonSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    username = serializers.CharField()
    display_name = serializers.CharField()


class MemberSerializer(serializers.Serializer[Any]):
    user = PersonSerializer()
    roles = serializers.ListField(child=serializers.ChoiceField(Role.choices))


class TokenSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    name = serializers.CharField()
    prefix = serializers.CharField()
    user = serializers.CharField()
    created_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)
    token = serializers.CharField(required=False, help_text="Shown once, when it is made.")


class NewTokenSerializer(serializers.Serializer[Any]):
    site = serializers.IntegerField()
    name = serializers.CharField(max_length=64)


class SiteQuery(serializers.Serializer[Any]):
    site = serializers.IntegerField(required=False)


class AuditSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    actor = serializers.CharField(allow_null=True)
    action = serializers.CharField()
    object_type = serializers.CharField()
    object_id = serializers.IntegerField()
    data = serializers.DictField()


class AuditQuery(SitePageQuery):
    object_type = serializers.CharField(required=False)
    object_id = serializers.IntegerField(required=False)


def site_json(site: Site) -> dict[str, Any]:
    """A site, shortly."""
    return {"id": site.pk, "slug": site.slug, "name": site.name}


def user_json(user: User) -> dict[str, Any]:
    """The signed-in person."""
    return {
        "id": user.pk,
        "username": user.username,
        "display_name": str(user),
        "language": user.language,
        "theme": user.theme,
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
        user = self.person
        for key, value in form.validated_data.items():
            setattr(user, key, value)
        user.save(update_fields=list(form.validated_data) or None)
        return Response(user_json(user))


class MembersView(SiteView):
    """Who works on a site."""

    access = {"GET": STAFF}

    @extend_schema(
        operation_id="members", parameters=[SiteQuery], responses=MemberSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        site = site_of(self)
        people: dict[int, dict[str, Any]] = {}
        for row in (
            Membership.objects.filter(site=site).select_related("user").order_by("user", "role")
        ):
            person = people.setdefault(
                row.user_id,
                {
                    "user": {
                        "id": row.user_id,
                        "username": row.user.username,
                        "display_name": str(row.user),
                    },
                    "roles": [],
                },
            )
            person["roles"].append(row.role)
        return Response(list(people.values()))


class TokensView(SiteView):
    """The API tokens of a site."""

    access = {"GET": ADMINS, "POST": ADMINS}

    @extend_schema(
        operation_id="tokens", parameters=[SiteQuery], responses=TokenSerializer(many=True)
    )
    def get(self, request: Request) -> Response:
        rows = ApiToken.objects.filter(site=site_of(self), revoked_at=None)
        return Response([_token_json(row) for row in rows.select_related("user").order_by("-id")])

    @extend_schema(
        operation_id="create_token", request=NewTokenSerializer, responses={201: TokenSerializer}
    )
    def post(self, request: Request) -> Response:
        form = NewTokenSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        site = get_object_or_404(self.sites, pk=form.validated_data["site"])
        token, secret = services.create_token(
            site=site, name=form.validated_data["name"], actor=self.person
        )
        return Response({**_token_json(token), "token": secret}, status=201)


class TokenView(SiteView):
    """One API token."""

    access = {"DELETE": ADMINS}

    @extend_schema(operation_id="revoke_token", responses={204: None})
    def delete(self, request: Request, token_id: int) -> Response:
        token = get_object_or_404(ApiToken, pk=token_id, site__in=self.sites)
        services.revoke_token(token=token, actor=self.person)
        return Response(status=204)


class AuditView(SiteView):
    """The audit log of a site."""

    access = {"GET": ADMINS}

    @extend_schema(operation_id="audit", parameters=[AuditQuery], responses=paged(AuditSerializer))
    def get(self, request: Request) -> Response:
        query = AuditQuery(data=request.query_params)
        query.is_valid(raise_exception=True)
        rows = AuditEntry.objects.filter(site_id__in=self.sites.values("pk")).select_related(
            "actor"
        )
        for name, column in (
            ("site", "site_id"),
            ("object_type", "object_type"),
            ("object_id", "object_id"),
        ):
            if name in query.validated_data:
                rows = rows.filter(**{column: query.validated_data[name]})
        return page_of(request, rows, lambda page: [audit_json(row) for row in page])


def audit_json(row: AuditEntry) -> dict[str, Any]:
    """One entry of the log."""
    return {
        "id": row.pk,
        "at": row.at,
        "actor": str(row.actor) if row.actor else None,
        "action": row.action,
        "object_type": row.object_type,
        "object_id": row.object_id,
        "data": row.data,
    }


def _token_json(token: ApiToken) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "prefix": token.prefix,
        "user": str(token.user),
        "created_at": token.created_at,
        "last_used_at": token.last_used_at,
    }


def site_of(view: SiteView) -> Site:
    """The site that ``?site=`` names; the only one when there is one."""
    query = SiteQuery(data=view.request.query_params)
    query.is_valid(raise_exception=True)
    wanted = query.validated_data.get("site")
    if wanted is not None:
        return get_object_or_404(view.sites, pk=wanted)
    sites = list(view.sites[:2])
    if len(sites) != 1:
        raise Invalid([FieldError("site", "required")])
    return sites[0]
