"""Another model becomes a site's champion, or is tried: prepared beside the former one, put in its place, and asked
anew about what still waits. What somebody was shown stays as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from django.db.models import QuerySet

from annotator.accounts.models import Site
from annotator.captures.models import Capture
from annotator.core import jobs
from annotator.core.errors import Conflict
from annotator.core.models import Job
from annotator.modelhub import queries as hub
from annotator.modelhub import services as models
from annotator.modelhub.models import ModelVersion
from annotator.suggestions import services as suggestions
from annotator.suggestions import sights
from annotator.suggestions.models import SuggestionState
from annotator.suggestions.recognizer import get_recognizer
from inference.contracts import ModelRefused

from .models import Task
from .states import TaskState

PROMOTE, TRY = models.PROMOTE, models.TRY
FOLLOW = "follow_model"
"""The kind of job that asks anew about what waits."""
AT_ONCE = 8


def waiting(site: Site | int) -> QuerySet[Capture]:
    """The captures of a site that somebody is still to answer and that were described, those that are
    handed out next first."""
    tasks = Task.objects.filter(
        project__site=site,
        state__in=(TaskState.READY, TaskState.LABELING),
        places_left__gt=0,
    )
    rows = Capture.objects.filter(
        site=site, scene__tasks__in=tasks, image__description__isnull=False
    )
    return rows.distinct().order_by("pk")


def prepare(
    version: ModelVersion,
    *,
    wanted: Callable[[str], bool] = lambda key: True,
    begin: Callable[[int], None] = lambda total: None,
    tick: Callable[[int], None] = lambda n: None,
) -> int:
    """Have ``version`` loaded wherever its site is served, and let it look at all that waits, while the
    champion goes on answering; returns how many pictures it saw. ``wanted`` says of which it will have to
    answer (by SHA-256), ``begin`` is told how many there are.
    Raises :class:`Conflict` where the recognizer refuses it, and
    :class:`inference.contracts.RecognizerError` where it does not answer."""
    try:
        get_recognizer().prepare(version.digest)
        rows = waiting(version.site_id).values_list("pk", "image__sha256")
        keys = [pk for pk, key in rows if wanted(key)]
        begin(len(keys))
        for some in _parts(keys):
            seen = Capture.objects.filter(pk__in=some).select_related("image")
            sights.of(list({row.image_id: row.image for row in seen}.values()), version.digest)
            tick(len(some))
    except ModelRefused as error:
        models.note_refusal(version, str(error))
        raise Conflict("model_refused", name=version.name, detail=str(error)) from error
    models.note_refusal(version, "")
    return len(keys)


def run_promotion(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: prepare a version, then make it the champion, unless somebody was quicker."""
    told = job.params
    version = ModelVersion.objects.select_related("site").get(pk=told["version"])
    live = hub.live_of(version.site_id)
    if live is None or live.champion_id != version.pk:  # it was killed after it had promoted
        seen = prepare(version, begin=progress.total, tick=progress.advance)
        progress.checkpoint({"seen": seen})
        live = models.promote(
            version,
            by=job.created_by,
            reason=told["reason"],
            gate=told["gate"],
            revision=told["revision"],
        )
    return {"version": version.name, "revision": live.revision, **progress.state}


def run_trial(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job: prepare a version, then let it answer for its share."""
    told = job.params
    version = ModelVersion.objects.select_related("site").get(pk=told["version"])
    live = hub.live_of(version.site_id)
    if (
        live is None or live.challenger_id != version.pk
    ):  # it was killed after it had begun the trial
        share = told["share"]
        wanted = hub.arm(version, share)
        seen = prepare(version, wanted=wanted, begin=progress.total, tick=progress.advance)
        progress.checkpoint({"seen": seen})
        live = models.start_trial(
            version,
            share,
            by=job.created_by,
            reason=told["reason"],
            revision=told["revision"],
        )
    return {"version": version.name, "revision": live.revision, **progress.state}


def start_following(*, site: int, revision: int) -> None:
    """``model.changed``: what waits is proposed anew, by whatever is live then."""
    if waiting(site).exists():
        jobs.start(kind=FOLLOW, site_id=site, params={"revision": revision})


def follow(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job. A later change of the model has a job of its own, to which this one leaves the rest."""
    keys = list(
        waiting(job.site_id)
        .filter(suggestion_status__state=SuggestionState.DONE)
        .values_list("pk", flat=True)
    )
    progress.total(len(keys))
    last = int(progress.state.get("last", 0))
    for some in _parts([key for key in keys if key > last]):
        live = hub.live_of(job.site_id)
        if live is not None and live.revision != job.params["revision"]:
            return {"left_to": live.revision}
        rows = Capture.objects.filter(pk__in=some).select_related("image")
        stored = suggestions.suggest(list(rows), only_changes=True)
        progress.advance(len(some), stored=stored)
        progress.checkpoint({"last": some[-1]})
    return {}


def _parts(keys: Sequence[int]) -> list[Sequence[int]]:
    return [keys[n : n + AT_ONCE] for n in range(0, len(keys), AT_ONCE)]
