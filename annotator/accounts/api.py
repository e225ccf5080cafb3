"""Signing in, one's own settings, members and tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import authenticate, login, logout
from django.db import transaction
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
from .models import ApiToken, Membership, Project, Site, User
from .permissions import PUBLIC, SIGNED_IN
from .policies import answered_for_elsewhere
from .queries import projects_on, roles_by_site, roles_on
from .states import ADMINS, STAFF, Role
from .views import SiteView


class SiteSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    slug = serializers.CharField()
    name = serializers.CharField()


class SiteSettingsSerializer(serializers.Serializer[Any]):
    keep_answers = serializers.ChoiceField(
        Site.Keep.choices,
        help_text="What is kept of the machine API's answers; `pictures`: with their pictures.",
    )
    keep_days = serializers.IntegerField(
        min_value=0, max_value=3650, help_text="For how long; 0: for good."
    )


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


class SiteSettingsView(SiteView):
    """The settings of a site."""

    access = {"GET": ADMINS, "PATCH": ADMINS}

    @extend_schema(operation_id="site_settings", responses=SiteSettingsSerializer)
    def get(self, request: Request, site_id: int) -> Response:
        return Response(_site_settings_json(get_object_or_404(self.sites, pk=site_id)))

    @extend_schema(
        operation_id="change_site_settings",
        request=SiteSettingsSerializer(partial=True),
        responses=SiteSettingsSerializer,
    )
    def patch(self, request: Request, site_id: int) -> Response:
        site = get_object_or_404(self.sites, pk=site_id)
        form = SiteSettingsSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        site = services.change_site(site=site, changes=form.validated_data, actor=self.person)
        return Response(_site_settings_json(site))


def _site_settings_json(site: Site) -> dict[str, Any]:
    return {"keep_answers": site.keep_answers, "keep_days": site.keep_days}


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


def project_of(view: SiteView, wanted: int | None) -> Project:
    """The project ``wanted``; the only one of the caller's sites when none is named."""
    projects = projects_on(view.sites)
    if wanted is not None:
        return get_object_or_404(projects, pk=wanted)
    found = list(projects[:2])
    if len(found) != 1:
        raise Invalid([FieldError("project", "required")])
    return found[0]
