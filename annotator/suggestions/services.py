"""Asking the recognizer, keeping what it says, and teaching it what people decided."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Site
from annotator.captures.models import Capture
from annotator.catalog.models import ReferencePicture, Sku
from annotator.catalog.queries import skus_by_code
from annotator.core import events
from annotator.core.outbox import TryLater
from annotator.media import services as media
from annotator.media.models import StoredImage
from annotator.modelhub import queries as hub
from annotator.modelhub.models import ModelVersion
from inference.contracts import (
    Barcode,
    Description,
    OcrLine,
    OtherDescriber,
    Recognition,
    RecognizerError,
)

from . import memory, sights
from .batches import batches
from .models import (
    CaptureSuggestion,
    PictureDescription,
    Sight,
    SiteMemory,
    Suggestion,
    SuggestionState,
)
from .policies import next_try
from .recognizer import get_recognizer

Payloads = Sequence[Mapping[str, Any]]


# --- handlers of events ----------------------------------------------------------------------


def suggest_for_captures(payloads: Payloads) -> None:
    """``capture.created``: describe, rank and store a suggestion for each capture."""
    ids = [payload["capture"] for payload in payloads]
    suggest(list(Capture.objects.filter(pk__in=ids).select_related("image")))


def learn_reference(payloads: Payloads) -> None:
    """``reference.added``: the picture becomes an example of its SKU."""
    ids = [payload["reference"] for payload in payloads]
    references = ReferencePicture.objects.filter(pk__in=ids).select_related("image", "sku")
    described = describe([reference.image for reference in references])
    for reference in references:
        description = described.get(reference.image_id)
        if description is not None:
            example = memory.example_of(
                key=f"ref:{reference.pk}",
                sku_code=reference.sku.code,
                description=description,
                group=f"ref:{reference.image_id}",
            )
            memory.append(site_id=reference.sku.site_id, changes=[memory.put_example(example)])


def forget_reference(payloads: Payloads) -> None:
    """``reference.removed``."""
    for payload in payloads:
        change = memory.delete_example(f"ref:{payload['reference']}")
        memory.append(site_id=payload["site"], changes=[change])


def learn_skus(payloads: Payloads) -> None:
    """``sku.changed``: tell the recognizer of the catalog entries."""
    skus = Sku.objects.filter(pk__in=[payload["sku"] for payload in payloads])
    by_site: dict[int, list[Sku]] = {}
    for sku in skus.select_related("category"):
        by_site.setdefault(sku.site_id, []).append(sku)
    for site_id, group in by_site.items():
        memory.append(site_id=site_id, changes=[memory.put_sku(sku) for sku in group])


def learn_scene(
    *, site_id: int, captures: Sequence[Capture], sku_code: str | None, caption: str = ""
) -> None:
    """The SKU of a scene's captures is now known, and what was decided of them, or (None) no longer
    is."""
    if sku_code is None:
        changes = [memory.delete_example(f"cap:{capture.pk}") for capture in captures]
    else:
        # What was decided under the code of a SKU that was merged since shows the other one.
        sku = skus_by_code(site_id=site_id, codes=[sku_code]).get(sku_code)
        sku_code = sku.code if sku else sku_code
        described = describe([capture.image for capture in captures])
        group = f"scene:{_first_scene(captures)}"
        changes = [
            memory.put_example(
                memory.example_of(
                    key=f"cap:{capture.pk}",
                    sku_code=sku_code,
                    description=described[capture.image_id],
                    group=group,
                    caption=caption,
                )
            )
            for capture in captures
            if capture.image_id in described
        ]
    memory.append(site_id=site_id, changes=changes)


def _first_scene(captures: Sequence[Capture]) -> int | None:
    """The scene of the earliest near-duplicate of a scene's captures, or their own."""
    seen = next((c for c in captures if c.duplicate_of_id), captures[0] if captures else None)
    while seen is not None and seen.duplicate_of is not None:
        seen = seen.duplicate_of
    return seen.scene_id if seen else None


# --- asking the recognizer -------------------------------------------------------------------


def describe(images: Sequence[StoredImage], *, model: str = "") -> dict[int, PictureDescription]:
    """Descriptions by image id, asked for where none is kept; then the model of digest ``model`` looks too.
    Pictures that the recognizer cannot describe are absent. Raises :class:`TryLater` when it does not
    answer, and :class:`ModelRefused`."""
    kept = {
        row.image_id: row
        for row in PictureDescription.objects.filter(image__in=[image.pk for image in images])
    }
    wanted = {image.pk: image for image in images if image.pk not in kept}
    for batch in batches(list(wanted.values()), lambda image: image.size):
        with _later_when_busy():
            answers = get_recognizer().describe(
                [media.original_bytes(image) for image in batch], model=model
            )
        for image, answer in zip(batch, answers, strict=True):
            if isinstance(answer, Description):
                kept[image.pk] = keep_description(image, answer, model=model)
                _notice_describer(site_id=image.site_id, describer=answer.describer)
    return kept


def _notice_describer(*, site_id: int, describer: str) -> None:
    """After an upgrade of the recognizer, what the site has taught it is described anew: pictures
    that different describers saw cannot be compared."""
    if SiteMemory.objects.filter(site=site_id, describer=describer).exists():
        return
    with transaction.atomic():
        SiteMemory.objects.get_or_create(site_id=site_id)
        head = SiteMemory.objects.select_for_update().get(site=site_id)
        former, head.describer = head.describer, describer
        head.save(update_fields=["describer"])
        if former not in ("", describer):
            PictureDescription.objects.filter(image__site=site_id).exclude(
                describer=describer
            ).delete()
            events.publish("describer.changed", site=site_id)


def describe_anew(payloads: Payloads) -> None:
    """``describer.changed``: every reference picture is learned again, every capture that has a
    suggestion gets a new one."""
    for payload in payloads:
        references = ReferencePicture.objects.filter(sku__site=payload["site"])
        captures = Capture.objects.filter(site=payload["site"], suggestion_status__isnull=False)
        with transaction.atomic():
            for reference in references.values_list("pk", flat=True):
                events.publish("reference.added", reference=reference, site=payload["site"])
            ids = captures.values_list("pk", flat=True)
            events.publish_many("capture.created", [{"capture": pk} for pk in ids])


@contextmanager
def _later_when_busy() -> Iterator[None]:
    """A recognizer that is away or busy is asked again later; another error is a real one."""
    try:
        yield
    except RecognizerError as error:
        if error.retry_after_s is None:
            raise
        raise TryLater(str(error), after_s=error.retry_after_s) from error


def keep_description(
    image: StoredImage, description: Description, *, model: str = "", tries: int = 1
) -> PictureDescription:
    """Store what was seen in a picture, by ``model`` too, in place of an earlier description. After
    ``tries`` that left something missing, it is described again later."""
    row, _ = PictureDescription.objects.update_or_create(
        image=image,
        defaults={
            "describer": description.describer,
            "embedding": description.embedding,
            "keypoints": description.keypoints,
            "barcodes": [asdict(barcode) for barcode in description.barcodes],
            "ocr_lines": [asdict(line) for line in description.ocr_lines],
            "missing": dict(description.missing),
            "timings_ms": dict(description.timings_ms),
            "tries": tries,
            "retry_at": next_try(description.missing, tries, timezone.now()),
        },
    )
    if description.sight:
        sights.keep(image.pk, model, description.sight, description.seen_by)
    return row


def as_description(
    image: StoredImage, row: PictureDescription, sight: Sight | None = None
) -> Description:
    """A kept description in the contract's form, with what one model saw."""
    missing = dict(row.missing)
    if sight is not None:
        missing.pop("minigpt", None)
    return Description(
        image_sha256=image.sha256,
        width_px=image.width,
        height_px=image.height,
        describer=row.describer,
        embedding=bytes(row.embedding),
        keypoints=bytes(row.keypoints),
        sight=bytes(sight.data) if sight else b"",
        seen_by=sight.seen_by if sight else "",
        barcodes=tuple(Barcode(b["text"], b["format"], _points(b)) for b in row.barcodes),
        ocr_lines=tuple(OcrLine(o["text"], o["confidence"], _points(o)) for o in row.ocr_lines),
        missing=missing,
        timings_ms=row.timings_ms,
    )


def _points(data: Mapping[str, Any]) -> tuple[tuple[float, float], ...]:
    return tuple((float(x), float(y)) for x, y in data["polygon"])


def suggest(captures: Sequence[Capture], *, only_changes: bool = False) -> int:
    """Store a new current suggestion for each capture; returns how many were stored.

    Which model has part in it hangs on the site and the picture; one that the recognizer refuses is
    replaced by what answered before it, and that is said. With ``only_changes`` a suggestion that says what
    the current one says is not stored again. Captures whose picture cannot be described are marked as failed.
    """
    arms: dict[tuple[int, ModelVersion | None], list[Capture]] = {}
    choosers = {site: hub.chooser(site) for site in {capture.site_id for capture in captures}}
    for capture in captures:
        version = choosers[capture.site_id](capture.image.sha256)
        arms.setdefault((capture.site_id, version), []).append(capture)
    return sum(
        _suggest(site_id, group, version, only_changes)
        for (site_id, version), group in arms.items()
    )


def _suggest(
    site_id: int, captures: Sequence[Capture], version: ModelVersion | None, only_changes: bool
) -> int:
    found = sights.with_fallback(site_id, version, lambda one: _recognized(site_id, captures, one))
    current = _current(captures) if only_changes else {}
    stored = 0
    for capture in captures:
        answer = found.answer.get(capture.pk)
        if answer is None:
            _finish(capture, None, error="unreadable")
            continue
        old = current.get(capture.pk)
        if old and old.model_id == found.model_id and _says_the_same(old, answer):
            continue
        _finish(capture, found.flagged(answer), model=found.version)
        stored += 1
    return stored


def _recognized(
    site_id: int, captures: Sequence[Capture], version: ModelVersion | None
) -> dict[int, Recognition]:
    """What is proposed for each capture with ``version``, by their ids; those that cannot be described
    are absent. Raises :class:`ModelRefused` and :class:`TryLater`."""
    digest = version.digest if version else ""
    described = describe([capture.image for capture in captures], model=digest)
    good = [capture for capture in captures if capture.image_id in described]
    images = [capture.image for capture in good]
    with _later_when_busy():
        seen = sights.of(images, digest)

    def ranked() -> list[Recognition]:
        descriptions = [
            as_description(image, described[image.pk], seen.get(image.pk)) for image in images
        ]
        with _later_when_busy():
            return get_recognizer().rank(memory.site_ref(site_id), descriptions, model=digest)

    try:
        try:
            answers = ranked() if good else []
        except OtherDescriber:
            with _later_when_busy():
                seen = sights.anew(images, digest)
            answers = ranked()
    except OtherDescriber as error:
        # The recognizer was upgraded: what was seen is seen anew.
        PictureDescription.objects.filter(image__in=images).delete()
        raise TryLater(str(error), after_s=0.0) from error
    return {capture.pk: answer for capture, answer in zip(good, answers, strict=True)}


def _current(captures: Iterable[Capture]) -> dict[int, Suggestion]:
    rows = CaptureSuggestion.objects.filter(
        capture__in=list(captures), current__isnull=False
    ).select_related("current")
    return {row.capture_id: row.current for row in rows if row.current is not None}


def _says_the_same(old: Suggestion, new: Recognition) -> bool:
    old_top = [(c["sku_code"], round(c["confidence"], 1)) for c in old.candidates[:3]]
    if sorted(old.left_out) != sorted(new.left_out):
        return False
    return old_top == [(c.sku_code, round(c.confidence, 1)) for c in new.candidates[:3]]


def _finish(
    capture: Capture,
    answer: Recognition | None,
    *,
    model: ModelVersion | None = None,
    error: str = "",
) -> None:
    with transaction.atomic():
        suggestion = None
        if answer is not None:
            data = answer.to_json()
            suggestion = Suggestion.objects.create(
                capture=capture,
                model=model,
                **{key: data[key] for key in ("model_version", "site_number", "learned_number")},
                fields=data["fields"],
                **{key: data[key] for key in ("candidates", "neighbours", "flags", "timings_ms")},
                heat=data["heat"],
                attributes=data["attributes"],
                none=data["none"],
                left_out=list(data["left_out"]),
            )
        state = SuggestionState.DONE if suggestion else SuggestionState.FAILED
        CaptureSuggestion.objects.update_or_create(
            capture=capture, defaults={"state": state, "current": suggestion, "error": error}
        )
        top = answer.candidates[0] if answer and answer.candidates else None
        events.publish(
            "suggestion.stored",
            scene=capture.scene_id,
            confidence=top.confidence if top else 0.0,
            sku_code=top.sku_code if top else None,
        )


def await_suggestions(payloads: Payloads) -> None:
    """``capture.created``: the captures wait for their suggestions."""
    CaptureSuggestion.objects.bulk_create(
        [CaptureSuggestion(capture_id=payload["capture"]) for payload in payloads],
        ignore_conflicts=True,
    )


def ask_again(*, site: Site) -> int:
    """Ask for a suggestion of every capture of ``site`` that has none; returns their number."""
    with transaction.atomic():
        missing = list(
            Capture.objects.filter(site=site)
            .exclude(suggestion_status__state=SuggestionState.DONE)
            .values_list("pk", flat=True)
        )
        events.publish_many("capture.created", [{"capture": pk} for pk in missing])
    return len(missing)
