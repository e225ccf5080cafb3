"""Answering machines: what is in their pictures, and keeping what was answered as the site wishes."""

from __future__ import annotations

import hashlib
import itertools
import json
import zlib
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from time import perf_counter
from typing import Any

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from annotator.accounts.models import Site, User
from annotator.core.errors import DomainError, FieldError, Invalid, Unavailable
from annotator.media import services as media
from annotator.media.pictures import BadPicture, Picture
from inference.contracts import Description, Failure, Found, Recognition, RecognizerError
from inference.logs import REQUEST_ID

from . import memory
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
    seen = _describe([one for one in results if isinstance(one, _Verified)], urgent=urgent)
    results = [next(seen) if isinstance(one, _Verified) else one for one in results]
    good = [one for one in results if not isinstance(one, DomainError)]
    ranked = iter(_answered(site, good, caller))
    return [one if isinstance(one, DomainError) else next(ranked) for one in results]


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
            picture = media.verify(wanted.data)
        except BadPicture as bad:
            return Invalid([FieldError(wanted.where, bad.code, dict(bad.params))])
        return _Verified(place, wanted, picture, (perf_counter() - started) * 1000)

    if len(asked) == 1:
        return [one(0, asked[0])]
    with ThreadPoolExecutor(settings.DECODERS) as threads:
        return list(threads.map(one, itertools.count(), asked))


def _describe(
    verified: Sequence[_Verified], *, urgent: bool
) -> Iterator[tuple[_Verified, Description] | DomainError]:
    described: list[Description | Failure] = []
    for batch in batches(verified, lambda one: len(one.asked.data)):
        with _answering():
            described += get_recognizer().describe([v.asked.data for v in batch], urgent=urgent)
    for one, answer in zip(verified, described, strict=True):
        if isinstance(answer, Failure) and answer.code == "internal":
            # The model's fault, not the picture's; who asks again at once is told the same.
            yield Unavailable("recognizer_unavailable", retry_after_s=GIVEN_UP_RETRY_S)
        elif isinstance(answer, Failure):
            error = FieldError(one.asked.where, "corrupt_picture", {"detail": answer.detail})
            yield Invalid([error])
        else:
            yield one, answer


def _answered(
    site: Site, seen: Sequence[tuple[_Verified, Description]], caller: User
) -> list[Answered]:
    if not seen:
        return []
    with _answering():
        ranked = get_recognizer().rank(memory.site_ref(site.pk), [d for _, d in seen])
    kept = _keep(site, seen, ranked, caller)
    return [
        Answered(description, recognition, verified.ms, answer_id)
        for (verified, description), recognition, answer_id in zip(seen, ranked, kept, strict=True)
    ]


@contextmanager
def _answering() -> Iterator[None]:
    """A recognizer that is away, busy or behind is a problem of the moment to those who ask."""
    try:
        yield
    except RecognizerError as error:
        code = "recognizer_busy" if error.retry_after_s else "recognizer_unavailable"
        raise Unavailable(code, retry_after_s=error.retry_after_s or DEFAULT_RETRY_S) from error


# --- keeping ---------------------------------------------------------------------------------


def _keep(
    site: Site,
    seen: Sequence[tuple[_Verified, Description]],
    ranked: Sequence[Recognition],
    caller: User,
) -> Sequence[int | None]:
    """Store answers as the site wishes; their ids."""
    if site.keep_answers == Site.Keep.NOTHING:
        return [None] * len(ranked)
    with_pictures = site.keep_answers == Site.Keep.PICTURES
    with transaction.atomic():
        evidence = _keep_evidence(site, [description for _, description in seen])
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
                recognition=recognition.to_json(),
                sensor_data=dict(one.asked.sensor_data),
                context_metadata=dict(one.asked.context_metadata),
            )
            for (one, _), kept, recognition in zip(seen, evidence, ranked, strict=True)
        ]
        # One after the other: not every database tells the ids of many.
        for row in rows:
            row.save(force_insert=True)
    return [row.pk for row in rows]


def _keep_evidence(site: Site, descriptions: Sequence[Description]) -> list[Evidence]:
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
