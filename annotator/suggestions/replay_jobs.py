"""Making a stored answer again as a job, for those who have no shell."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.db import transaction

from annotator.accounts.models import Site
from annotator.core import jobs
from annotator.core.errors import Conflict
from annotator.core.models import Job

from . import replaying
from .models import MachineAnswer

KIND = "replay_answer"


def start_replay(answer: MachineAnswer, *, actor: Any) -> Job:
    """The job that makes ``answer`` again; the one that is under way, if it is."""
    with transaction.atomic():
        Site.objects.select_for_update().get(pk=answer.site_id)
        under_way = Job.objects.filter(
            site_id=answer.site_id, kind=KIND, state__in=jobs.OPEN, params__answer=answer.pk
        ).first()
        return under_way or jobs.start(
            kind=KIND, site_id=answer.site_id, params={"answer": answer.pk}, actor=actor
        )


def run_replay(job: Job, progress: jobs.Progress) -> Mapping[str, Any]:
    """The job. Raises Conflict where that version, or what it knew, is not here."""
    progress.total(1)
    try:
        (stored,) = replaying.stored_answers(str(job.params["answer"]))
        with replaying.Replay() as replay:
            told = replaying.compared(replay, stored, replaying.LIVE)
    except replaying.CannotReplay as error:
        raise Conflict("cannot_replay", detail=str(error)) from error
    progress.advance()
    return told
