"""People, sites, projects, and who may do what where."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from .states import Role

slug_validator = RegexValidator(r"^[a-z0-9][a-z0-9-]{0,62}$", "小写字母、数字和连字符")


class UserManager(BaseUserManager["User"]):
    """Creates people; used by commands and by Django's own tools."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a machine that calls the API in a site's name."""

    username = models.CharField(
        max_length=64, unique=True, validators=[RegexValidator(r"^[\w.@+-]+$")]
    )
    display_name = models.CharField(max_length=64, blank=True)
    language = models.CharField(
        max_length=8, default="zh-hans", choices=[(c, c) for c in ("zh-hans", "en", "ja")]
    )
    theme = models.CharField(
        max_length=8, default="auto", choices=[(c, c) for c in ("auto", "light", "dark")]
    )
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"

    def __str__(self) -> str:
        return self.display_name or self.username


class Site(models.Model):
    """One warehouse. Nothing crosses sites."""

    slug = models.CharField(max_length=63, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=128)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """One role of one person on one site."""

    user = models.ForeignKey(User, related_name="memberships", on_delete=models.CASCADE)
    site = models.ForeignKey(Site, related_name="memberships", on_delete=models.CASCADE)
    role = models.CharField(max_length=16, choices=Role.choices)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "site", "role"], name="membership_once")
        ]


class Project(models.Model):
    """A labeling effort on a site. ``schema`` is the caption schema as data (empty: the default)."""

    site = models.ForeignKey(Site, related_name="projects", on_delete=models.CASCADE)
    slug = models.CharField(max_length=63, validators=[slug_validator])
    name = models.CharField(max_length=128)
    schema = models.JSONField(default=dict, blank=True)
    overlap = models.PositiveSmallIntegerField(
        default=2, validators=[MinValueValidator(1), MaxValueValidator(9)]
    )
    threshold = models.FloatField(
        default=0.85, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    boxes_required = models.BooleanField(default=False)
    withhold_rate = models.FloatField(
        default=0.05, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    lease_seconds = models.PositiveIntegerField(
        default=600, validators=[MinValueValidator(30), MaxValueValidator(86_400)]
    )
    guide = models.TextField(blank=True)
    version = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "slug"], name="project_slug_once")]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.slug}"


class ApiToken(models.Model):
    """A bearer token that acts as ``user`` on one site. Only its digest is kept."""

    user = models.ForeignKey(User, related_name="tokens", on_delete=models.CASCADE)
    site = models.ForeignKey(Site, related_name="tokens", on_delete=models.CASCADE)
    name = models.CharField(max_length=64)
    digest = models.CharField(max_length=64, unique=True)
    prefix = models.CharField(max_length=12)
    created_at = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
