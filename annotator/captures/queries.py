"""Reading captures."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from django.db.models import Count, Min, Q, QuerySet

from annotator.accounts.models import Site
from annotator.media.models import StoredImage
from annotator.media.pictures import NEAR_DISTANCE, bands, distance

from .models import Capture, Quarantine, Scene

ORDERINGS: dict[str, tuple[str, ...]] = {
    "newest": ("-id",),
    "oldest": ("id",),
    "blurriest": ("image__sharpness", "image_id"),
    "darkest": ("image__exposure", "image_id"),
}

MAX_NEAR = 50
"""The nearest earlier captures that one capture is linked to, at most."""


def captures_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Capture]:
    """Captures with their picture and scene."""
    return Capture.objects.filter(site__in=sites).select_related("image", "scene")


def captures_of_scene(scene_id: int) -> list[Capture]:
    """The views of a scene in a fixed order: front, side, top, then the rest."""
    return in_view_order(Capture.objects.filter(scene_id=scene_id).select_related("image"))


def captures_of_scenes(scene_ids: Iterable[int]) -> dict[int, list[Capture]]:
    """The views of many scenes, each in that order."""
    found: dict[int, list[Capture]] = {}
    for capture in Capture.objects.filter(scene__in=list(scene_ids)).select_related("image"):
        found.setdefault(capture.scene_id, []).append(capture)
    return {scene: in_view_order(views) for scene, views in found.items()}


def in_view_order(captures: Iterable[Capture]) -> list[Capture]:
    """The views of one scene: front, side, top, then the rest."""
    order = {"front": 0, "side": 1, "top": 2}
    return sorted(captures, key=lambda c: (order.get(c.cam_type, 3), c.pk))


def captures_by_content(site_id: int, sha256s: Sequence[str]) -> dict[str, Capture]:
    """The captures of a site that have these contents, by SHA-256, with their scene and picture."""
    rows = Capture.objects.filter(
        image__site=site_id, image__sha256__in=set(sha256s)
    ).select_related("image", "scene")
    return {row.image.sha256: row for row in rows}


def captures_called(site_id: int, names: Iterable[str]) -> dict[str, Capture]:
    """The captures of a site by their image ids or their contents' SHA-256, as they were named."""
    wanted = set(names)
    rows = Capture.objects.filter(site=site_id).select_related("image", "scene")
    found = {row.image.sha256: row for row in rows.filter(image__sha256__in=wanted)}
    return found | {row.image_id_text: row for row in rows.filter(image_id_text__in=wanted)}


Near = tuple[int, int, int]
"""Distance in bits, capture, scene."""


def near_captures(site_id: int, captures: Sequence[Capture]) -> dict[int, list[Near]]:
    """Of each of ``captures``, the earlier captures of the site that look nearly the same, nearest
    first, in one query. Captures with the very same hash stand for each other: the earliest is
    named. Needs ``image``."""
    wanted = [bands(c.image.phash) for c in captures]
    shares_a_band = Q()
    for n, values in enumerate(zip(*wanted, strict=True)):
        shares_a_band |= Q(**{f"band{n}__in": set(values)})
    alike = (
        StoredImage.objects.filter(shares_a_band, site=site_id, capture__isnull=False)
        .order_by()
        .values("phash")
        .annotate(first=Min("capture"))
        .values_list("phash", "first")
    )
    by_band: dict[tuple[int, int], list[tuple[str, int]]] = {}
    for phash, first in alike:
        for band in enumerate(bands(phash)):
            by_band.setdefault(band, []).append((phash, first))
    found: dict[int, dict[int, int]] = {}
    for capture, own in zip(captures, wanted, strict=True):
        for phash, first in {row for band in enumerate(own) for row in by_band.get(band, ())}:
            bits = distance(phash, capture.image.phash)
            if bits <= NEAR_DISTANCE and first < capture.pk:
                found.setdefault(capture.pk, {})[first] = bits
    ids = {pk for near in found.values() for pk in near}
    scenes = dict(Capture.objects.filter(pk__in=ids).values_list("pk", "scene"))
    return {
        pk: sorted((bits, other, scenes[other]) for other, bits in near.items())[:MAX_NEAR]
        for pk, near in found.items()
    }


def quarantine_of(sites: QuerySet[Site] | Iterable[int]) -> QuerySet[Quarantine]:
    """Refused files that nobody has dismissed."""
    return Quarantine.objects.filter(site__in=sites, dismissed_at=None)


def reasons_of(site: Site) -> list[tuple[str, int]]:
    """Why files of a site were refused, with their numbers, most frequent first."""
    rows = quarantine_of([site.pk]).order_by().values_list("code").annotate(n=Count("pk"))
    return sorted(rows, key=lambda row: (-row[1], row[0]))


def scenes_named(site_id: int, text: str) -> QuerySet[Any]:
    """Ids of scenes whose key, or a picture of which, begins with ``text``."""
    by_key = Scene.objects.filter(site=site_id, key__startswith=text).values("pk")
    by_picture = Capture.objects.filter(site=site_id, image_id_text__startswith=text)
    return by_key.union(by_picture.values("scene"))


def captures_named(sites: QuerySet[Site] | Iterable[int], text: str) -> QuerySet[Any]:
    """Ids of captures whose image id or file name begins with ``text``."""
    rows = Capture.objects.filter(site__in=sites)
    by_id = rows.filter(image_id_text__startswith=text).values("pk")
    return by_id.union(rows.filter(original_name__startswith=text).values("pk"))
