"""People, sites, projects, and who may do what where."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models

from .rules import QualityRules
from .states import Role, WithholdMode

slug_validator = RegexValidator(r"^[a-z0-9][a-z0-9-]{0,62}$", "小写字母、数字和连字符")


class UserManager(BaseUserManager["User"]):
    """Creates people; used by commands and by Django's own tools."""

    def create_user(self, username: str, password: str | None = None, **fields: object) -> User:
        user = self.model(username=username, **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user


class User(AbstractBaseUser, PermissionsMixin):
    """A person, or a machine that calls the API in a site's name. ``shortcuts`` are the keys that
    the person has put in the place of the usual ones, by action; ``columns`` maps a list to the
    columns that they want to see there."""

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
    shortcuts = models.JSONField(default=dict, blank=True)
    columns = models.JSONField(default=dict, blank=True)
    is_active = models.BooleanField(default=True)
    is_service = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    objects = UserManager()

    USERNAME_FIELD = "username"

    held: dict[int, frozenset[Role]] | None = None
    """The roles by site, where they were read together with the person (see ``queries.with_roles``);
    those of an API token are its own site's only."""

    def __str__(self) -> str:
        return self.display_name or self.username


class Site(models.Model):
    """One warehouse. Nothing crosses sites. ``keep_answers``: what is kept of what the machine API
    answers, for ``keep_days`` (0: for good)."""

    class Keep(models.TextChoices):
        NOTHING = "nothing"
        ANSWERS = "answers"
        PICTURES = "pictures"

    slug = models.CharField(max_length=63, unique=True, validators=[slug_validator])
    name = models.CharField(max_length=128)
    keep_answers = models.CharField(max_length=8, choices=Keep.choices, default=Keep.ANSWERS)
    keep_days = models.PositiveSmallIntegerField(default=30, validators=[MaxValueValidator(3650)])
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.slug


class Membership(models.Model):
    """One role of one person on one site. ``categories`` (ids; with all below them) and
    ``languages`` limit what an annotator is handed; empty, they do not."""

    user = models.ForeignKey(User, related_name="memberships", on_delete=models.CASCADE)
    site = models.ForeignKey(Site, related_name="memberships", on_delete=models.CASCADE)
    role = models.CharField(max_length=16, choices=Role.choices)
    categories = models.JSONField(default=list, blank=True)
    languages = models.JSONField(default=list, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "site", "role"], name="membership_once")
        ]


class Project(models.Model):
    """A labeling effort on a site. ``schema`` is the caption schema in force as data (empty: the
    default) and ``schema_version`` its number; ``guide`` is Markdown. ``label_duplicates_once``: a
    near-duplicate gets no task of its own; ``lookalikes``: tasks that look the same may be answered in
    one go. ``share`` is its part of the site's work (0: none of it);
    ``withhold_rate`` of the answers are given by ``withhold_mode``, a delayed suggestion after
    ``withhold_delay_s`` seconds, or with the first entry where that is 0;
    ``random_share`` of its tasks are handed out at random, the others by value; ``language`` is what
    its pictures are read in; ``quality`` are its :class:`~.rules.QualityRules` as data. An archived
    project hands nothing out."""

    site = models.ForeignKey(Site, related_name="projects", on_delete=models.CASCADE)
    slug = models.CharField(max_length=63, validators=[slug_validator])
    name = models.CharField(max_length=128)
    schema = models.JSONField(default=dict, blank=True)
    schema_version = models.PositiveIntegerField(default=1)
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
    withhold_mode = models.CharField(
        max_length=8, choices=WithholdMode.choices, default=WithholdMode.WITHHELD
    )
    withhold_delay_s = models.PositiveIntegerField(default=0, validators=[MaxValueValidator(600)])
    lease_seconds = models.PositiveIntegerField(
        default=600, validators=[MinValueValidator(30), MaxValueValidator(86_400)]
    )
    label_duplicates_once = models.BooleanField(default=False)
    lookalikes = models.BooleanField(default=True)
    guide = models.TextField(blank=True)
    guide_version = models.PositiveIntegerField(default=1)
    language = models.CharField(
        max_length=8, default="zh-hans", choices=[(c, c) for c in ("zh-hans", "en", "ja")]
    )
    share = models.FloatField(
        default=1.0, validators=[MinValueValidator(0.0), MaxValueValidator(1000.0)]
    )
    random_share = models.FloatField(
        default=0.1, validators=[MinValueValidator(0.0), MaxValueValidator(1.0)]
    )
    quality = models.JSONField(default=dict, blank=True)
    version = models.PositiveIntegerField(default=1)
    archived_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["site", "slug"], name="project_slug_once")]

    def __str__(self) -> str:
        return f"{self.site_id}/{self.slug}"

    @property
    def rules(self) -> QualityRules:
        """What it asks of quality."""
        return QualityRules.of(self.quality)


class SchemaVersion(models.Model):
    """A schema that a project has or had. ``renames`` maps keys of the version before to the keys
    that the same fields have in this one."""

    project = models.ForeignKey(Project, related_name="schemas", on_delete=models.CASCADE)
    number = models.PositiveIntegerField()
    schema = models.JSONField()
    renames = models.JSONField(default=dict)
    created_by = models.ForeignKey(User, null=True, related_name="+", on_delete=models.PROTECT)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["project", "number"], name="schema_version_once")
        ]


class GuideReading(models.Model):
    """The last version of a project's instructions that a person has opened."""

    user = models.ForeignKey(User, related_name="guide_readings", on_delete=models.CASCADE)
    project = models.ForeignKey(Project, related_name="guide_readings", on_delete=models.CASCADE)
    version = models.PositiveIntegerField()
    read_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["user", "project"], name="guide_reading_once")
        ]


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


class SavedView(models.Model):
    """A list's filters under a name: one's own, or shared with everybody on the site."""

    class Page(models.TextChoices):
        TASKS = "tasks"
        CAPTURES = "captures"
        DISPUTES = "disputes"
        CATALOG = "catalog"
        FEEDBACK = "feedback"
        JOBS = "jobs"
        MEMBERS = "members"
        PROJECTS = "projects"

    site = models.ForeignKey(Site, related_name="saved_views", on_delete=models.CASCADE)
    owner = models.ForeignKey(User, related_name="saved_views", on_delete=models.CASCADE)
    page = models.CharField(max_length=16, choices=Page.choices)
    name = models.CharField(max_length=64)
    query = models.JSONField(default=dict)
    shared = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["owner", "site", "page", "name"], name="saved_view_name_once"
            )
        ]
