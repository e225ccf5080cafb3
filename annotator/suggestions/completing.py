"""Describing pictures again of which evidence was missing: what was late, or failed, when they were first seen."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial

from django.db import transaction
from django.utils import timezone

from annotator.captures.models import Capture
from annotator.catalog.models import ReferencePicture
from annotator.core import events
from annotator.core.outbox import TryLater
from annotator.media import services as media
from annotator.media.models import StoredImage
from annotator.modelhub import queries as hub
from annotator.modelhub.models import ModelVersion
from inference.contracts import Description, RecognizerError

from . import memory, services, sights
from .batches import batches
from .models import PictureDescription, SiteChange, SuggestionState
from .policies import FIRST_AFTER, next_try
from .recognizer import get_recognizer

log = logging.getLogger(__name__)

AT_ONCE = 8
MOST = 64
"""Pictures that one call looks at."""


def complete_descriptions() -> int:
    """Describe some of the pictures again whose time has come; returns of how many more is known now. Where no
    recognizer answers, they wait without a try being counted."""
    done = 0
    due = PictureDescription.objects.filter(retry_at__lte=timezone.now())
    for _ in range(MOST // AT_ONCE):
        rows = list(due.select_related("image").order_by("retry_at", "pk")[:AT_ONCE])
        rows = [row for row in rows if _claim(row)]
        if not rows:
            break
        try:
            done += sum(_complete(site, some) for site, some in _by_site(rows).items())
        except (TryLater, RecognizerError) as error:
            log.warning("Descriptions are not completed now: %s", error)
            break
    return done


def _claim(row: PictureDescription) -> bool:
    """Whether this call is the one that looks at a picture; another one does after a while, should this
    one die."""
    now = timezone.now()
    mine = PictureDescription.objects.filter(pk=row.pk, retry_at=row.retry_at)
    return bool(mine.update(retry_at=now + FIRST_AFTER))


def _by_site(rows: Iterable[PictureDescription]) -> dict[int, list[PictureDescription]]:
    found: dict[int, list[PictureDescription]] = {}
    for row in rows:
        found.setdefault(row.image.site_id, []).append(row)
    return found


def _complete(site_id: int, rows: Sequence[PictureDescription]) -> int:
    choose = hub.chooser(site_id)
    arms: dict[ModelVersion | None, list[PictureDescription]] = {}
    for row in rows:
        arms.setdefault(choose(row.image.sha256), []).append(row)
    changed: list[StoredImage] = []
    for version, some in arms.items():
        images = [row.image for row in some]
        found = sights.with_fallback(site_id, version, partial(_described, images))
        digest = found.version.digest if found.version else ""
        for row, seen in zip(some, found.answer, strict=True):
            if seen is not None and len(seen.missing) < len(row.missing):
                services.keep_description(row.image, seen, model=digest, tries=row.tries + 1)
                changed.append(row.image)
            else:
                _again(row)
    _follow(site_id, changed)
    return len(changed)


def _described(
    images: Sequence[StoredImage], version: ModelVersion | None
) -> list[Description | None]:
    found: list[Description | None] = []
    for batch in batches(images, lambda image: image.size):
        answers = get_recognizer().describe(
            [media.original_bytes(image) for image in batch],
            model=version.digest if version else "",
        )
        found += [answer if isinstance(answer, Description) else None for answer in answers]
    return found


def _again(row: PictureDescription) -> None:
    tries = row.tries + 1
    PictureDescription.objects.filter(pk=row.pk).update(
        tries=tries, retry_at=next_try(row.missing, tries, timezone.now())
    )


def _follow(site_id: int, images: Sequence[StoredImage]) -> None:
    """What was learned of the pictures is learned again, and what was proposed is proposed anew."""
    ids = [image.pk for image in images]
    references = ReferencePicture.objects.filter(image__in=ids, sku__site=site_id)
    captures = Capture.objects.filter(site=site_id, image__in=ids)
    described = {row.image_id: row for row in PictureDescription.objects.filter(image__in=ids)}
    changes = []
    for pk, image in captures.values_list("pk", "image"):
        last = SiteChange.objects.filter(site=site_id, key=f"cap:{pk}").order_by("-number").first()
        if last is not None and last.op == "put_example":
            changes.append(memory.put_example(memory.seen_anew(last, described[image])))
    if changes:
        memory.append(site_id=site_id, changes=changes)
    with transaction.atomic():
        for reference in references.values_list("pk", flat=True):
            events.publish("reference.added", reference=reference, site=site_id)
        waiting = captures.filter(suggestion_status__state=SuggestionState.DONE)
        events.publish_many(
            "capture.created", [{"capture": pk} for pk in waiting.values_list("pk", flat=True)]
        )
