"""Asking a LanguageTool server about captions. What it said is kept by the text; while it does not answer,
nothing is said, and the fluency of a caption is not measured."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import language_tool_python
from django.conf import settings

from annotator.accounts.models import Project
from annotator.core.outbox import TryLater
from annotator.review.models import Decision

from .models import TextScore

LANGUAGES = {"zh-hans": "zh-CN", "en": "en-US", "ja": "ja-JP"}
LIMIT_S = 20
TRY_AGAIN_S = 60.0


class _Server(language_tool_python.LanguageTool):
    """The server of the settings, which has less time than the library would give it."""

    _TIMEOUT = LIMIT_S  # type: ignore[assignment]


def asked() -> bool:
    """Whether a server is to be asked at all."""
    return bool(settings.LANGUAGETOOL_URL)


def digest_of(text: str) -> str:
    """Under which a text is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def known(project: Project, captions: Iterable[str]) -> Mapping[str, Sequence[Any]]:
    """What was found in captions, by caption; those that were not measured are absent."""
    digests = {digest_of(caption): caption for caption in captions}
    rows = TextScore.objects.filter(language=LANGUAGES[project.language], digest__in=digests)
    return {digests[digest]: hits for digest, hits in rows.values_list("digest", "hits")}


def check(tasks: Iterable[int]) -> None:
    """Have the captions of tasks checked that are not known yet. Raises TryLater while the server does
    not answer; what it said until then is kept."""
    rows = Decision.objects.filter(task__in=list(tasks), superseded_at=None)
    by_language: dict[str, dict[str, Project]] = {}
    for row in rows.select_related("task__project"):
        project = row.task.project
        by_language.setdefault(LANGUAGES[project.language], {})[row.caption] = project
    for language, captions in by_language.items():
        told = set().union(*(known(project, [c]) for c, project in captions.items()))
        if wanted := sorted(set(captions) - told):
            _ask(language, wanted)


def _ask(language: str, captions: Sequence[str]) -> None:
    try:
        with _Server(language, remote_server=settings.LANGUAGETOOL_URL) as server:
            for caption in captions:
                TextScore.objects.update_or_create(
                    digest=digest_of(caption),
                    language=language,
                    defaults={"hits": [_hit(match) for match in server.check(caption)]},
                )
    except (language_tool_python.exceptions.LanguageToolError, ValueError, KeyError) as error:
        raise TryLater(f"LanguageTool: {error}", after_s=TRY_AGAIN_S) from error


def _hit(match: Any) -> dict[str, Any]:
    return {
        "rule": match.rule_id,
        "message": match.message[:300],
        "offset": match.offset,
        "length": match.error_length,
    }
