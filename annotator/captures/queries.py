"""Reading captures."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet

from annotator.accounts.models import Site

from .models import Capture, Quarantine


def captures_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Capture]:
    """Captures with their picture and scene."""
    return Capture.objects.filter(site__in=sites).select_related("image", "scene")


def captures_of_scene(scene_id: int) -> list[Capture]:
    """The views of a scene in a fixed order: front, side, top, then the rest."""
    order = {"front": 0, "side": 1, "top": 2}
    rows = Capture.objects.filter(scene_id=scene_id).select_related("image")
    return sorted(rows, key=lambda c: (order.get(c.cam_type, 3), c.pk))


def quarantine_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Quarantine]:
    """Refused files."""
    return Quarantine.objects.filter(site__in=sites)
