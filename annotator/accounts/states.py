"""The roles that a person can hold on a site."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    ADMIN = "admin"
    INTEGRATOR = "integrator"


ANNOTATORS = frozenset({Role.ANNOTATOR})
REVIEWERS = frozenset({Role.REVIEWER})
ADMINS = frozenset({Role.ADMIN})
STAFF = frozenset({Role.REVIEWER, Role.ADMIN})
LABELERS = frozenset({Role.ANNOTATOR, Role.REVIEWER, Role.ADMIN})
EVERYONE = frozenset(Role)
