"""What sparing second annotators saves, and how far it can be trusted (ADR 33)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.accounts.models import Project
from annotator.labeling import risk, sparing
from annotator.labeling.models import Trial, Trust


def overlap(
    project: Project, *, share: float | None, checked: Mapping[str, Any]
) -> dict[str, Any] | None:
    """How it stands with a project's adaptive overlap; None where it is off. ``share`` is the part (%) of
    the decided tasks that one person answered, ``checked`` the error that spot checks found in them."""
    if not sparing.applies_to(project):
        return None
    limit = project.rules.single_limit
    rows = Trust.objects.filter(
        project=project, schema_version=project.schema_version, limit=limit
    ).order_by("-seen", "-pk")
    trust = rows.first() or Trust(limit=limit)
    gathered = _gathered(project, trust)
    return {
        "state": _state(project, trust),
        "limit": _percent(limit),
        "threshold": _percent(trust.threshold),
        "bound": _percent(trust.bound),
        "audits": trust.audits,
        "errors": trust.errors,
        "gathered": gathered,
        "next_look": risk.step(limit),
        "saved": share,
        "spot_checked": checked,
        "checked_at": trust.checked_at,
        "alarmed_at": trust.alarmed_at,
    }


def _state(project: Project, trust: Trust) -> str:
    if trust.pk and sparing.in_force(project, trust.model_version):
        return "in_force"
    if trust.alarmed_at is not None and trust.alarmed_at == trust.checked_at:
        return "alarmed"
    return "gathering" if trust.bound is None else "not_certain"


def _gathered(project: Project, trust: Trust) -> int:
    """The settled audits since the last look, or before the first."""
    rows = Trial.objects.filter(
        project=project, schema_version=project.schema_version, counted=True, wrong__isnull=False
    )
    if trust.pk:
        rows = rows.filter(model_version=trust.model_version, pk__gt=trust.seen)
    return rows.count()


def _percent(share: float | None) -> float | None:
    return None if share is None else round(100 * share, 2)
