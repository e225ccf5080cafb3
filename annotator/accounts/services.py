"""Changing people, sites, projects and tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotator.core import audit
from annotator.core.errors import EditConflict, FieldError, Invalid
from inference.captions import Schema

from .models import ApiToken, Membership, Project, Site, User
from .states import Role


def digest_of(token: str) -> str:
    """What is kept of a token. Tokens carry 256 random bits, so a plain hash is enough."""
    return hashlib.sha256(token.encode()).hexdigest()


def ensure_site(*, slug: str, name: str = "") -> tuple[Site, bool]:
    """The site called ``slug``, made with one project when it is new."""
    with transaction.atomic():
        site, created = Site.objects.get_or_create(slug=slug, defaults={"name": name or slug})
        if created:
            _full_clean(site)
            audit.record(action="site.created", on=site, site_id=site.pk)
    return site, created


def ensure_project(
    *, site: Site, slug: str, name: str = "", **settings: Any
) -> tuple[Project, bool]:
    """The project ``slug`` of ``site``, made with default settings when it is new."""
    with transaction.atomic():
        project, created = Project.objects.get_or_create(
            site=site, slug=slug, defaults={"name": name or slug, **settings}
        )
        if created:
            _full_clean(project)
            audit.record(action="project.created", on=project, site_id=site.pk)
    return project, created


def change_project(
    *, project: Project, changes: Mapping[str, Any], actor: User, version: int | None = None
) -> Project:
    """Apply settings. ``version`` is what the editor saw; raises EditConflict when it is old."""
    with transaction.atomic():
        project = Project.objects.select_for_update().select_related("site").get(pk=project.pk)
        if version is not None and version != project.version:
            raise EditConflict()
        before = {key: getattr(project, key) for key in changes}
        for key, value in changes.items():
            setattr(project, key, value)
        if changes.get("schema"):
            try:
                Schema.from_json(changes["schema"])
            except ValueError as error:
                raise Invalid([FieldError("schema", "invalid", message=str(error))]) from error
        _full_clean(project)
        project.version += 1
        project.save()
        audit.record(
            action="project.changed",
            on=project,
            actor=actor,
            site_id=project.site_id,
            before=before,
            after=dict(changes),
        )
    return project


def create_user(
    *,
    username: str,
    password: str | None = None,
    display_name: str = "",
    superuser: bool = False,
    service: bool = False,
) -> tuple[User, str]:
    """A new person and the password: the given one, else a random one. A machine has none."""
    user = User(
        username=username,
        display_name=display_name,
        is_superuser=superuser,
        is_service=service,
    )
    if service:
        password = ""
        user.set_unusable_password()
    else:
        if password is None:
            password = secrets.token_urlsafe(12)
        try:
            validate_password(password, user)
        except ValidationError as error:
            raise Invalid(
                [FieldError("password", "invalid", message=m) for m in error.messages]
            ) from error
        user.set_password(password)
    with transaction.atomic():
        _full_clean(user)
        user.save()
        audit.record(action="user.created", on=user)
    return user, password


def grant_roles(
    *, user: User, site: Site, roles: Iterable[Role], actor: User | None = None
) -> None:
    """Give ``user`` each of ``roles`` on ``site``; roles already held stay."""
    with transaction.atomic():
        for role in roles:
            _, created = Membership.objects.get_or_create(user=user, site=site, role=role)
            if created:
                audit.record(
                    action="role.granted", on=user, actor=actor, site_id=site.pk, role=str(role)
                )


def create_token(
    *, site: Site, name: str, user: User | None = None, actor: User | None = None
) -> tuple[ApiToken, str]:
    """A token for ``site`` and its secret, which is shown this once. Without a user it acts as
    the site's integration account, which may only call the recognition API."""
    secret = f"wv_{secrets.token_urlsafe(32)}"
    with transaction.atomic():
        if user is None:
            user = User.objects.filter(username=f"wms.{site.slug}").first()
            if user is None:
                user, _ = create_user(
                    username=f"wms.{site.slug}", display_name=f"WMS {site.name}", service=True
                )
            grant_roles(user=user, site=site, roles=[Role.INTEGRATOR], actor=actor)
        token = ApiToken.objects.create(
            user=user, site=site, name=name, digest=digest_of(secret), prefix=secret[:8]
        )
        audit.record(action="token.created", on=token, actor=actor, site_id=site.pk, name=name)
    return token, secret


def revoke_token(*, token: ApiToken, actor: User) -> None:
    """End a token at once."""
    with transaction.atomic():
        ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())
        audit.record(action="token.revoked", on=token, actor=actor, site_id=token.site_id)


def _full_clean(row: User | Site | Project) -> None:
    try:
        row.full_clean(exclude=["password"], validate_unique=row.pk is None)
    except ValidationError as error:
        raise Invalid(
            [
                FieldError(name, "invalid", message=message)
                for name, messages in error.message_dict.items()
                for message in messages
            ]
        ) from error
