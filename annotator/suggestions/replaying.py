"""Making stored answers again: from the model's version, the numbers of the site's memory and the
evidence that they were made of. What the site has learned since changes nothing."""

from __future__ import annotations

import json
import tempfile
from collections.abc import Collection, Iterator, Mapping
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from django.conf import settings
from django.utils.module_loading import import_string

from annotator.media import services as media
from annotator.media.models import StoredImage
from annotator.modelhub import queries as hub
from annotator.modelhub.models import ModelVersion
from inference import bundles
from inference.contracts import (
    Description,
    ModelRefused,
    OtherDescriber,
    Recognition,
    Recognizer,
    RecognizerError,
    Replayer,
    SiteRef,
)

from . import memory
from .answers import description_of
from .models import MachineAnswer, PictureDescription, Sight, Suggestion
from .recognizer import get_recognizer
from .services import as_description
from .sights import FALLBACK

LIVE = "live"
_SUGGESTION = "suggestion:"
_SUGGESTED = (
    *("model_version", "site_number", "learned_number", "fields", "candidates"),
    *("neighbours", "flags", "timings_ms", "heat", "none", "left_out", "attributes"),
)
"""The parts of a recognition that a suggestion keeps."""
_KEPT_LATER = frozenset({"none", "left_out"})
"""Those that the first suggestions did not keep."""
_NOT_SAID = frozenset({"timings_ms"})
"""How long an answer took is no part of what it says."""


class CannotReplay(Exception):
    """What is needed to make an answer again is not here; says what."""


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored answer and what it was made of; ``parts`` are those of its parts that were stored,
    ``image`` is there where the picture was kept. ``model`` had part in it, None for the shipped one."""

    name: str
    site_id: int
    recognition: Recognition
    description: Description
    image: StoredImage | None
    parts: frozenset[str]
    model: ModelVersion | None


def stored_answers(name: str) -> list[Stored]:
    """The answers that ``name`` means: the id of a machine's answer, a request's id, or
    ``suggestion:<id>``. Raises :class:`CannotReplay` when there are none."""
    if name.startswith(_SUGGESTION):
        return [_suggestion(name.removeprefix(_SUGGESTION))]
    rows = MachineAnswer.objects.select_related("evidence", "image", "model").order_by("pk")
    found = list(rows.filter(pk=int(name)) if name.isdecimal() else rows.filter(request_id=name))
    if not found:
        raise CannotReplay(f"No answer {name} is kept.")
    return [
        Stored(
            name=str(row.pk),
            site_id=row.site_id,
            recognition=Recognition.from_json(row.recognition),
            description=_evidence_of(row),
            image=row.image,
            parts=frozenset(row.recognition) - _NOT_SAID,
            model=row.model,
        )
        for row in found
    ]


def _evidence_of(row: MachineAnswer) -> Description:
    try:
        return description_of(row.evidence)
    except ValueError as error:
        raise CannotReplay(str(error)) from error


def _suggestion(number: str) -> Stored:
    rows = Suggestion.objects.select_related("capture__image", "model")
    row = rows.filter(pk=int(number)).first() if number.isdecimal() else None
    if row is None:
        raise CannotReplay(f"There is no suggestion {number}.")
    image = row.capture.image
    seen = PictureDescription.objects.filter(image=image).first()
    sight = Sight.objects.filter(image=image, digest=row.model.digest if row.model else "").first()
    names = row.model_version.split("+")
    models = [name for name in names if name.startswith("minigpt-")]
    replaced = models and (sight is None or sight.seen_by not in models)
    replaced = replaced or (seen is not None and seen.created_at > row.created_at)
    if seen is None or replaced or not row.model_version.startswith(seen.describer):
        raise CannotReplay(
            f"What {row.model_version} saw in the picture of suggestion {number} was replaced by "
            "what a later version saw."
        )
    return Stored(
        name=f"{_SUGGESTION}{row.pk}",
        site_id=row.capture.site_id,
        recognition=Recognition.from_json({name: getattr(row, name) for name in _SUGGESTED}),
        description=as_description(image, seen, sight),
        image=image,
        parts=frozenset(_SUGGESTED) - _NOT_SAID - (_KEPT_LATER if row.none is None else set()),
        model=row.model,
    )


class Replay:
    """Makes answers again; holds the recognizers that it opened until the end of the ``with``."""

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._opened: dict[tuple[str, Path], Replayer] = {}
        self._memories = 0

    def __enter__(self) -> Self:
        folder = tempfile.TemporaryDirectory(prefix="warevision-replay-")
        self._folder = Path(self._stack.enter_context(folder))
        return self

    def __exit__(self, *error: object) -> None:
        self._stack.close()

    def make_again(self, stored: Stored) -> Recognition:
        """The answer, by the version that gave it, with what was known and learned then. Raises
        :class:`CannotReplay` where that version, or a part of the log, is not here."""
        answer = stored.recognition
        self._memories += 1
        site = f"again-{self._memories}"
        try:
            recognizer = self._open(answer.model_version, self._folder, stored.model)
            for first, last in (
                (1, answer.learned_number),
                (answer.learned_number + 1, answer.site_number),
            ):
                if first <= last:
                    memory.restate(stored.site_id, self._folder / site, first=first, last=last)
                if last == answer.learned_number > 0:
                    recognizer.settle(site)
            again = recognizer.rank(SiteRef(site, answer.site_number), [stored.description])[0]
            # Which model was to answer is no part of what this one says.
            said = tuple(flag for flag in answer.flags if flag == FALLBACK)
            return replace(again, flags=(*again.flags, *said))
        except (RecognizerError, ValueError) as error:
            raise CannotReplay(f"{answer.model_version} cannot be asked again: {error}") from error

    def ask_now(self, stored: Stored, version: str) -> Recognition:
        """What ``version``, or the recognizer in use (:data:`LIVE`), says now of the same picture, with
        what is known now. Raises :class:`CannotReplay`."""
        try:
            if version == LIVE:
                return _ask_live(stored)
            recognizer = self._open(version, Path(settings.SITES_DIR))
            recognizer.settle(memory.site_key(stored.site_id))
            return _ask(recognizer, stored)
        except RecognizerError as error:
            raise CannotReplay(f"{version} cannot be asked: {error}") from error

    def _open(self, version: str, sites_dir: Path, model: ModelVersion | None = None) -> Replayer:
        if (version, sites_dir) not in self._opened:
            models = Path(settings.MODELS_DIR)
            folders = sorted(models.glob("[!.]*")) if models.is_dir() else []
            named = [models / model.digest] if model else []
            base = bundles.base(settings.MODEL)
            named += [base] if base else []
            opened: Replayer = import_string(settings.REPLAYER)(
                version, sites_dir=sites_dir, models=[*named, *folders]
            )
            self._opened[version, sites_dir] = self._stack.enter_context(closing(opened))
        return self._opened[version, sites_dir]


def _ask_live(stored: Stored) -> Recognition:
    """What the site's live model says."""
    version = hub.chosen(stored.site_id, stored.description.image_sha256)
    for one in [version, *(hub.fallbacks(stored.site_id, version) if version else ())]:
        try:
            return _ask(get_recognizer(), stored, one.digest if one else "")
        except ModelRefused:
            if one is None:
                raise
    raise AssertionError("the shipped model is always among those asked")


def _ask(recognizer: Recognizer, stored: Stored, model: str = "") -> Recognition:
    site = memory.site_ref(stored.site_id)
    try:
        return recognizer.rank(site, [stored.description], model=model)[0]
    except OtherDescriber as error:
        if stored.image is None:
            raise RecognizerError("it has to see the picture, which was not kept") from error
        (seen,) = recognizer.describe([media.original_bytes(stored.image)], model=model)
        if not isinstance(seen, Description):
            raise RecognizerError(seen.detail) from error
        return recognizer.rank(site, [seen], model=model)[0]


def compared(replay: Replay, stored: Stored, version: str) -> dict[str, Any]:
    """The stored answer, the same made again, where they differ, and what ``version`` says now, as plain
    JSON. Raises :class:`CannotReplay` where it cannot be made again."""
    before = said(stored.recognition, stored.parts)
    again = said(replay.make_again(stored), stored.parts)
    differing = list(differences(before, again))
    try:
        now: Recognition | None = replay.ask_now(stored, version)
        error = ""
    except CannotReplay as problem:
        now, error = None, str(problem)
    return {
        "answer": stored.name,
        "exact": not differing,
        "differences": differing,
        "stored": before,
        "again": again,
        "against": {"asked": version, "said": said(now) if now else None, "error": error},
    }


def said(recognition: Recognition, parts: Collection[str] = ()) -> dict[str, Any]:
    """What an answer says, as plain JSON: everything, or only ``parts``."""
    data = {
        key: one
        for key, one in recognition.to_json().items()
        if key not in _NOT_SAID and (not parts or key in parts)
    }
    plain: dict[str, Any] = json.loads(json.dumps(data, sort_keys=True))
    return plain


def differences(one: Any, other: Any, place: str = "") -> Iterator[str]:
    """Where two JSON values differ."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in sorted({*one, *other}):
            yield from differences(one.get(key), other.get(key), f"{place}.{key}".lstrip("."))
    elif isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        for n, (left, right) in enumerate(zip(one, other, strict=True)):
            yield from differences(left, right, f"{place}.{n}")
    elif json.dumps(one) != json.dumps(other):
        yield place
