"""Answering machines: what is in their pictures, and keeping what was answered as the site wishes."""

from __future__ import annotations

import hashlib
import itertools
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Site, User
from annotator.captures.weighing import grams_of, weigh_contents
from annotator.core.errors import DomainError, FieldError, Invalid, Unavailable
from annotator.media import services as media
from annotator.media.pictures import BadPicture, Picture
from annotator.modelhub import queries as hub
from annotator.modelhub.models import ModelVersion
from inference.contracts import (
    Description,
    Failure,
    Found,
    ModelRefused,
    Recognition,
    RecognizerError,
)
from inference.logs import REQUEST_ID

from . import memory, sights
from .batches import batches
from .models import Evidence, MachineAnswer
from .recognizer import get_recognizer

DEFAULT_RETRY_S, GIVEN_UP_RETRY_S = 5.0, 60.0
FORGET_AT_ONCE = 1000


@dataclass(frozen=True, slots=True)
class Asked:
    """One picture of a call, where it stands there (for errors), and what came with it."""

    data: bytes
    where: str = "image"
    sensor_data: Mapping[str, Any] = field(default_factory=dict)
    context_metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Answered:
    """What the machine says of one picture; ``answer_id`` where it was kept."""

    description: Description
    recognition: Recognition
    verify_ms: float
    model: ModelVersion | None = None
    """The version that had part in it, None for the shipped one."""
    answer_id: int | None = None


@dataclass(frozen=True, slots=True)
class _Verified:
    place: int
    asked: Asked
    picture: Picture
    ms: float


def recognize(
    *, site: Site, asked: Sequence[Asked | Invalid], urgent: bool, caller: User
) -> list[Answered | DomainError]:
    """The answer to each picture of a call, or why there is none. Raises
    :class:`annotator.core.errors.Unavailable` when the recognizer does not answer."""
    results: list[Any] = list(_verify(asked))
    choose = hub.chooser(site)
    arms: dict[ModelVersion | None, list[_Verified]] = {}
    for one in results:
        if isinstance(one, _Verified):
            arms.setdefault(choose(one.picture.sha256), []).append(one)
    for version, some in arms.items():
        found = sights.with_fallback(
            site.pk, version, partial(_recognized, site=site, verified=some, urgent=urgent)
        )
        for verified, answer in zip(some, found.answer, strict=True):
            if isinstance(answer, Answered):
                recognition = found.flagged(answer.recognition)
                answer = replace(answer, recognition=recognition, model=found.version)
            results[verified.place] = answer
    places = [one for some in arms.values() for one in some]
    good = [one for one in places if isinstance(results[one.place], Answered)]
    kept = _keep(site, [(one, results[one.place]) for one in good], caller)
    told = {one.picture.sha256: grams_of(one.asked.sensor_data) for one in good}
    weigh_contents(site.pk, {sha: g for sha, g in told.items() if g is not None}, actor=caller)
    for one, answer_id in zip(good, kept, strict=True):
        results[one.place] = replace(results[one.place], answer_id=answer_id)
    return results


def similar(*, site: Site, query: Asked | str, count: int) -> Found:
    """Known pictures and SKUs of the site that are like a picture, or that a text is about. Raises
    :class:`Invalid` and :class:`annotator.core.errors.Unavailable`."""
    asked: Description | str
    if isinstance(query, str):
        asked = query
    else:
        (verified,) = _verify([query])
        if isinstance(verified, Invalid):
            raise verified
        (described,) = _describe([verified], urgent=False)
        if isinstance(described, DomainError):
            raise described
        asked = described[1]
    with _answering():
        return get_recognizer().search(memory.site_ref(site.pk), asked, count=count)


def _verify(asked: Sequence[Asked | Invalid]) -> list[_Verified | Invalid]:
    """Every picture decoded within bounds, several at a time."""

    def one(place: int, wanted: Asked | Invalid) -> _Verified | Invalid:
        if isinstance(wanted, Invalid):
            return wanted
        started = perf_counter()
        try:
            picture = media.verify_again(wanted.data)
        except BadPicture as bad:
            return Invalid([FieldError(wanted.where, bad.code, dict(bad.params))])
        return _Verified(place, wanted, picture, (perf_counter() - started) * 1000)

    if len(asked) == 1:
        return [one(0, asked[0])]
    with ThreadPoolExecutor(settings.DECODERS) as threads:
        return list(threads.map(one, itertools.count(), asked))


def _describe(
    verified: Sequence[_Verified], *, urgent: bool, model: str = ""
) -> Iterator[tuple[_Verified, Description] | DomainError]:
    described: list[Description | Failure] = []
    for batch in batches(verified, lambda one: len(one.asked.data)):
        with _answering():
            described += get_recognizer().describe(
                [v.asked.data for v in batch], urgent=urgent, model=model
            )
    for one, answer in zip(verified, described, strict=True):
        if isinstance(answer, Failure) and answer.code == "internal":
            # The model's fault, not the picture's; who asks again at once is told the same.
            yield Unavailable("recognizer_unavailable", retry_after_s=GIVEN_UP_RETRY_S)
        elif isinstance(answer, Failure):
            error = FieldError(one.asked.where, "corrupt_picture", {"detail": answer.detail})
            yield Invalid([error])
        else:
            yield one, answer


def _recognized(
    version: ModelVersion | None, *, site: Site, verified: Sequence[_Verified], urgent: bool
) -> list[Answered | DomainError]:
    """What is said of pictures with ``version``, in their order. Raises :class:`ModelRefused` and
    :class:`annotator.core.errors.Unavailable`."""
    digest = version.digest if version else ""
    seen = list(_describe(verified, urgent=urgent, model=digest))
    good = [description for _, description in (s for s in seen if not isinstance(s, DomainError))]
    with _answering():
        ranked = iter(
            get_recognizer().rank(memory.site_ref(site.pk), good, model=digest) if good else []
        )
    return [
        one if isinstance(one, DomainError) else Answered(one[1], next(ranked), one[0].ms)
        for one in seen
    ]


@contextmanager
def _answering() -> Iterator[None]:
    """A recognizer that is away, busy or behind is a problem of the moment to those who ask; a model that
    it refuses is not."""
    try:
        yield
    except ModelRefused:
        raise
    except RecognizerError as error:
        code = "recognizer_busy" if error.retry_after_s else "recognizer_unavailable"
        raise Unavailable(code, retry_after_s=error.retry_after_s or DEFAULT_RETRY_S) from error


# --- keeping ---------------------------------------------------------------------------------


def _keep(
    site: Site, answered: Sequence[tuple[_Verified, Answered]], caller: User
) -> Sequence[int | None]:
    """Store answers as the site wishes; their ids."""
    if site.keep_answers == Site.Keep.NOTHING or not answered:
        return [None] * len(answered)
    with_pictures = site.keep_answers == Site.Keep.PICTURES
    with transaction.atomic():
        evidence = keep_evidence(site, [answer.description for _, answer in answered])
        rows = [
            MachineAnswer(
                site=site,
                caller=caller,
                request_id=REQUEST_ID.get(),
                place=one.place,
                evidence=kept,
                image=media.store_image(site=site, data=one.asked.data, picture=one.picture)
                if with_pictures
                else None,
                model=answer.model,
                recognition=answer.recognition.to_json(),
                sensor_data=dict(one.asked.sensor_data),
                context_metadata=dict(one.asked.context_metadata),
            )
            for (one, answer), kept in zip(answered, evidence, strict=True)
        ]
        # One after the other: not every database tells the ids of many.
        for row in rows:
            row.save(force_insert=True)
    return [row.pk for row in rows]


def keep_evidence(site: Site, descriptions: Sequence[Description]) -> list[Evidence]:
    """What answers are made of, each once; in a transaction."""
    bodies = [_evidence_json(description) for description in descriptions]
    digests = [hashlib.sha256(body).hexdigest() for body in bodies]
    wanted = dict(zip(digests, bodies, strict=True))
    rows: dict[str, Evidence] = {}
    # Again where old evidence is being forgotten at this very moment.
    while rows.keys() != wanted.keys():
        Evidence.objects.bulk_create(
            [
                Evidence(site=site, digest=digest, body=zlib.compress(body))
                for digest, body in wanted.items()
            ],
            ignore_conflicts=True,
        )
        found = Evidence.objects.select_for_update().filter(site=site, digest__in=digests)
        rows = {row.digest: row for row in found.defer("body")}
    return [rows[digest] for digest in digests]


def _evidence_json(description: Description) -> bytes:
    """The description as it determines answers: how long it took is not part of it."""
    data = {**description.to_json(), "timings_ms": {}}
    return json.dumps(data, ensure_ascii=False, sort_keys=True).encode()


def description_of(evidence: Evidence) -> Description:
    """What was kept. Raises ValueError when it is not what was kept."""
    body = zlib.decompress(bytes(evidence.body))
    if hashlib.sha256(body).hexdigest() != evidence.digest:
        raise ValueError(f"evidence {evidence.pk} does not match its hash")
    return Description.from_json(json.loads(body))


def forget_old_answers() -> int:
    """Forget what sites keep no longer, a part at a time; returns how many answers."""
    forgotten = 0
    for site in Site.objects.filter(keep_days__gt=0):
        old = MachineAnswer.objects.filter(
            site=site, created_at__lt=timezone.now() - timedelta(days=site.keep_days)
        )
        while ids := list(old.values_list("pk", flat=True)[:FORGET_AT_ONCE]):
            with transaction.atomic():
                forgotten += MachineAnswer.objects.filter(pk__in=ids).delete()[0]
        with transaction.atomic():
            Evidence.objects.filter(site=site, answers=None).delete()
    return forgotten
