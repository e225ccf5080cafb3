"""Recurring work on kept answers."""

from __future__ import annotations

from annotator.core.tasks import task

from . import answers


@task("suggestions.forget_old_answers", time_limit_s=600)
def forget_old_answers() -> int:
    """Keep machine answers as long as their site wishes."""
    return answers.forget_old_answers()
