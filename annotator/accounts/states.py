"""The roles that a person can hold on a site, and what a project's answers show of the machine."""

from __future__ import annotations

from django.db import models


class Role(models.TextChoices):
    ANNOTATOR = "annotator"
    REVIEWER = "reviewer"
    ADMIN = "admin"
    INTEGRATOR = "integrator"


class WithholdMode(models.TextChoices):
    """What becomes of the suggestion on the sampled share of answers."""

    OFF = "off"
    WITHHELD = "withheld"
    DELAYED = "delayed"


ANNOTATORS = frozenset({Role.ANNOTATOR})
REVIEWERS = frozenset({Role.REVIEWER})
ADMINS = frozenset({Role.ADMIN})
STAFF = frozenset({Role.REVIEWER, Role.ADMIN})
LABELERS = frozenset({Role.ANNOTATOR, Role.REVIEWER, Role.ADMIN})
EVERYONE = frozenset(Role)
