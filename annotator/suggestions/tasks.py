"""Recurring work on what was seen and answered."""

from __future__ import annotations

from annotator.core.tasks import task

from . import answers, completing, sights


@task("suggestions.forget_old_answers", time_limit_s=600)
def forget_old_answers() -> int:
    """Keep machine answers as long as their site wishes."""
    return answers.forget_old_answers()


@task("suggestions.complete_descriptions", queue="bulk", time_limit_s=600)
def complete_descriptions() -> int:
    """Describe again what was described in part."""
    return completing.complete_descriptions()


@task("suggestions.prune_sights", queue="bulk", time_limit_s=600)
def prune_sights() -> int:
    """Forget what models saw that no longer answer."""
    return sights.prune()
