"""What each model saw in a picture, kept beside its description; and what answers when a model is refused."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, TypeVar

from django.utils import timezone

from annotator.media import services as media
from annotator.media.models import StoredImage
from annotator.modelhub import queries as hub
from annotator.modelhub.models import ModelVersion
from annotator.modelhub.services import note_refusal
from inference.contracts import ModelRefused, Recognition, Sighting

from .batches import batches
from .models import Sight
from .recognizer import get_recognizer

log = logging.getLogger(__name__)
T = TypeVar("T")
KEPT_FOR = timedelta(days=14)
"""What a model saw, after it was last asked to look."""
PART, PRUNED_AT_MOST = 500, 20_000
FALLBACK = "model_fallback"
"""The flag of an answer that another model gave than the one that should have."""


def of(images: Sequence[StoredImage], digest: str) -> dict[int, Sight]:
    """What the model of ``digest`` saw, by image id; it looks where nothing is kept. Where the shipped
    model (no digest) has not looked, it may not have been there, and is not asked. Raises
    :class:`inference.contracts.RecognizerError`."""
    kept = {
        row.image_id: row
        for row in Sight.objects.filter(image__in=[image.pk for image in images], digest=digest)
    }
    if not digest:
        return kept
    return kept | anew([image for image in images if image.pk not in kept], digest)


def anew(images: Sequence[StoredImage], digest: str) -> dict[int, Sight]:
    """Let the model of ``digest`` look at pictures, and keep what it sees, by image id. Pictures that it
    fails on are absent. Raises :class:`inference.contracts.RecognizerError`."""
    found: dict[int, Sight] = {}
    for batch in batches(images, lambda image: image.size):
        answers = get_recognizer().see(
            [media.original_bytes(image) for image in batch], model=digest
        )
        for image, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Sighting):
                found[image.pk] = keep(image.pk, digest, answer.sight, answer.seen_by)
            else:
                log.error("Model %s saw nothing in picture %s: %s", digest, image.pk, answer.detail)
    return found


def keep(image_id: int, digest: str, sight: bytes, seen_by: str) -> Sight:
    """Store what a model saw, in place of what it saw before."""
    row, _ = Sight.objects.update_or_create(
        image_id=image_id, digest=digest, defaults={"data": sight, "seen_by": seen_by}
    )
    return row


def prune() -> int:
    """Forget what models saw long ago that no longer answer on their site; a picture is looked at again
    should one of them come back. What answers were made of is kept with these. A part at a time, and not
    without end; returns how many."""
    pruned = 0
    before = timezone.now() - KEPT_FOR
    for site, names in hub.digests_in_use().items():
        old = Sight.objects.filter(image__site=site, created_at__lt=before)
        old = old.exclude(digest="").exclude(digest__in=names)
        while pruned < PRUNED_AT_MOST and (ids := list(old.values_list("pk", flat=True)[:PART])):
            pruned += Sight.objects.filter(pk__in=ids).delete()[0]
    return pruned


@dataclass(frozen=True, slots=True)
class Found(Generic[T]):
    """An answer, and the version that had part in it (None: the shipped one); ``refused`` where that is
    another one than it should have been."""

    answer: T
    version: ModelVersion | None
    refused: bool = False

    @property
    def model_id(self) -> int | None:
        return self.version.pk if self.version else None

    def flagged(self, recognition: Recognition) -> Recognition:
        """``recognition``, saying so where another model was to answer."""
        if not self.refused:
            return recognition
        return replace(recognition, flags=(*recognition.flags, FALLBACK))


def with_fallback(
    site_id: int, version: ModelVersion | None, ask: Callable[[ModelVersion | None], T]
) -> Found[T]:
    """What ``ask`` says of ``version`` or, where the recognizer refuses that, of what answered before it. A
    refusal is noted with the version and logged once. Raises what ``ask`` raises but
    :class:`ModelRefused`, unless even the shipped model is refused."""
    if version is None:
        return Found(ask(None), None)
    try:
        answer = ask(version)
    except ModelRefused as error:
        _refused(version, error)
    else:
        if version.refusal:
            note_refusal(version, "")
        return Found(answer, version)
    *former, last = hub.fallbacks(site_id, version)
    for other in former:
        try:
            return Found(ask(other), other, refused=True)
        except ModelRefused as error:
            if other is not None:
                _refused(other, error)
    return Found(ask(last), last, refused=True)


def _refused(version: ModelVersion, error: ModelRefused) -> None:
    if note_refusal(version, str(error)):
        log.error(
            "Site %s: the recognizer refuses %s, what answered before it answers: %s",
            version.site_id,
            version.name,
            error,
        )
