"""Changing people, sites, projects and tokens."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection, Iterable, Mapping
from datetime import datetime
from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.utils import timezone

from annotator.core import audit, events, jobs
from annotator.core.errors import EditConflict, FieldError, Invalid
from annotator.core.messages import caption_language
from inference.captions import DEFAULT_SCHEMA, Schema, SchemaError

from . import policies
from .models import ApiToken, GuideReading, Membership, Project, SchemaVersion, Site, User
from .rules import QualityRules
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


def change_site(*, site: Site, changes: Mapping[str, Any], actor: User) -> Site:
    """Apply settings of a site."""
    with transaction.atomic():
        site = Site.objects.select_for_update().get(pk=site.pk)
        changes = {key: value for key, value in changes.items() if getattr(site, key) != value}
        for key, value in changes.items():
            setattr(site, key, value)
        _full_clean(site)
        if changes:
            site.save(update_fields=list(changes))
            audit.record(
                action="site.changed", on=site, actor=actor, site_id=site.pk, **_plain(changes)
            )
    return site


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


def create_project(*, site: Site, actor: User, slug: str, name: str, **settings: Any) -> Project:
    """A new project. Raises Invalid for a slug that the site has already, and for bad settings."""
    with transaction.atomic():
        site = Site.objects.select_for_update().get(pk=site.pk)
        project = Project(site=site, slug=slug, name=name, **settings)
        project.schema = checked_schema(project.schema).to_json() if project.schema else {}
        QualityRules.of(project.quality)
        _check_slug(project)
        _full_clean(project)
        project.save()
        audit.record(action="project.created", on=project, actor=actor, site_id=site.pk)
    return project


def clone_project(*, project: Project, actor: User, slug: str, name: str) -> Project:
    """A new project with the settings, schema and instructions of ``project`` and none of its
    tasks."""
    kept = (
        "schema", "overlap", "threshold", "boxes_required", "withhold_rate",
        "withhold_mode", "withhold_delay_s", "lease_seconds",
        "label_duplicates_once", "lookalikes", "guide", "quality",
    )  # fmt: skip
    with transaction.atomic():
        clone = create_project(
            site=project.site,
            actor=actor,
            slug=slug,
            name=name,
            **{key: getattr(project, key) for key in kept},
        )
        audit.record(
            action="project.cloned",
            on=clone,
            actor=actor,
            site_id=project.site_id,
            origin=project.pk,
        )
    return clone


def change_project(
    *,
    project: Project,
    changes: Mapping[str, Any],
    actor: User,
    version: int | None = None,
    renames: Mapping[str, str] | None = None,
) -> Project:
    """Apply settings. ``version`` is what the editor saw; raises EditConflict when it is old. A
    changed ``schema`` becomes a new version, to which ``renames`` tell how keys moved; answers to
    open tasks are then checked anew. ``archived`` is true or false."""
    with transaction.atomic():
        project = Project.objects.select_for_update().select_related("site").get(pk=project.pk)
        if version is not None and version != project.version:
            raise EditConflict()
        changes = dict(changes)
        if "archived" in changes:
            archived = changes.pop("archived")
            changes["archived_at"] = (project.archived_at or timezone.now()) if archived else None
        if "quality" in changes:
            QualityRules.of(changes["quality"])
        if "schema" in changes:
            changes["schema"] = checked_schema(changes["schema"]).to_json()
            if changes["schema"] == in_force(project):
                del changes["schema"]
        before = {key: getattr(project, key) for key in changes}
        if "schema" in changes:
            _add_schema_version(project, changes["schema"], renames or {}, actor)
        if changes.get("guide", project.guide) != project.guide:
            project.guide_version += 1
        for key, value in changes.items():
            setattr(project, key, value)
        _check_slug(project)
        _full_clean(project)
        project.version += 1
        project.save()
        audit.record(
            action="project.changed",
            on=project,
            actor=actor,
            site_id=project.site_id,
            before=_plain(before),
            after=_plain(changes),
        )
        if "schema" in changes:
            jobs.start(
                kind="revalidate_answers",
                site_id=project.site_id,
                project_id=project.pk,
                params={"project": project.pk, "version": project.schema_version},
                actor=actor,
            )
        if project.overlap != before.get("overlap", project.overlap):
            events.publish("overlap.changed", project=project, actor=actor)
    return project


def in_force(project: Project) -> dict[str, Any]:
    """The JSON of the schema that the project's captions follow now."""
    schema: dict[str, Any] = project.schema or DEFAULT_SCHEMA.to_json()
    return schema


def check_renames(before: Mapping[str, Any], after: Mapping[str, Any], renames: Any) -> None:
    """Raise Invalid unless ``renames`` lead from keys of one schema to keys of the other, none to
    the same and none from a key that is still there."""
    old = {field["key"] for field in before["fields"]}
    new = {field["key"] for field in after["fields"]}
    for key, to in renames.items():
        if key not in old or key in new or to not in new or to in old:
            raise Invalid([FieldError("renames", "bad_rename", {"key": key, "to": to})])
    if len(set(renames.values())) < len(renames):
        raise Invalid([FieldError("renames", "bad_rename", {"key": "…", "to": "…"})])


def _add_schema_version(
    project: Project, schema: dict[str, Any], renames: Mapping[str, str], actor: User
) -> None:
    check_renames(in_force(project), schema, renames)
    SchemaVersion.objects.get_or_create(
        project=project, number=project.schema_version, defaults={"schema": in_force(project)}
    )
    project.schema_version += 1
    SchemaVersion.objects.create(
        project=project,
        number=project.schema_version,
        schema=schema,
        renames=dict(renames),
        created_by=actor,
    )


def checked_schema(data: Any) -> Schema:
    """The schema that ``data`` describes. Raises Invalid with every problem at its place."""
    try:
        return Schema.from_json(data)
    except SchemaError as error:
        language = caption_language()
        raise Invalid(
            [
                FieldError(
                    f"schema.{problem.where}".rstrip("."),
                    problem.code,
                    dict(problem.params),
                    problem.message(language),
                )
                for problem in error.problems
            ]
        ) from error


def _check_slug(project: Project) -> None:
    taken = Project.objects.filter(site=project.site_id, slug=project.slug).exclude(pk=project.pk)
    if taken.exists():
        raise Invalid([FieldError("slug", "slug_taken", {"slug": project.slug})])


def _plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """Values as the audit log keeps them."""
    return {
        key: value.isoformat() if isinstance(value, datetime) else value
        for key, value in values.items()
    }


def read_guide(*, project: Project, user: User) -> None:
    """Remember that ``user`` has opened the instructions as they are now."""
    GuideReading.objects.update_or_create(
        project=project, user=user, defaults={"version": project.guide_version}
    )


# --- people -----------------------------------------------------------------------------------


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


def add_member(
    *, site: Site, username: str, roles: Collection[Role], display_name: str, actor: User
) -> tuple[User, str]:
    """Let a person work on ``site``. Somebody new gets an account with a random password, which is
    returned this once; for an existing account it is empty."""
    if not roles:
        raise Invalid([FieldError("roles", "required")])
    with transaction.atomic():
        user = User.objects.filter(username=username).first()
        password = ""
        if user is None:
            user, password = create_user(username=username, display_name=display_name)
        elif user.is_service:
            raise Invalid([FieldError("username", "service_account")])
        elif Membership.objects.filter(site=site, user=user).exists():
            raise Invalid([FieldError("username", "already_member", {"username": username})])
        grant_roles(user=user, site=site, roles=roles, actor=actor)
    return user, password


def set_roles(*, site: Site, user: User, roles: Collection[Role], actor: User) -> None:
    """Give ``user`` exactly ``roles`` on ``site``; none ends their membership. Raises Conflict when
    the site would lose its last admin."""
    with transaction.atomic():
        site = Site.objects.select_for_update().get(pk=site.pk)
        held = Membership.objects.filter(site=site, user=user)
        for row in held.exclude(role__in=list(roles)):
            row.delete()
            audit.record(
                action="role.revoked", on=user, actor=actor, site_id=site.pk, role=row.role
            )
        grant_roles(user=user, site=site, roles=roles, actor=actor)
        policies.check_has_admin(site)


def set_active(*, site: Site, user: User, active: bool, actor: User) -> None:
    """Close or reopen a person's account. Raises Forbidden for accounts that other sites' admins
    answer for, Conflict when the site would lose its last admin."""
    with transaction.atomic():
        site = Site.objects.select_for_update().get(pk=site.pk)
        policies.check_manages_account(actor, user)
        user.is_active = active
        user.save(update_fields=["is_active"])
        policies.check_has_admin(site)
        action = "user.activated" if active else "user.deactivated"
        audit.record(action=action, on=user, actor=actor, site_id=site.pk)


def reset_password(*, site: Site, user: User, actor: User) -> str:
    """A new random password for ``user``, returned this once; every session of theirs ends."""
    with transaction.atomic():
        policies.check_manages_account(actor, user)
        password = secrets.token_urlsafe(12)
        user.set_password(password)
        user.save(update_fields=["password"])
        audit.record(action="user.password_reset", on=user, actor=actor, site_id=site.pk)
    return password


# --- tokens -----------------------------------------------------------------------------------


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
