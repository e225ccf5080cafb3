from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate, pre_migrate


class ReviewConfig(AppConfig):
    name = "annotator.review"
    label = "review"

    def ready(self) -> None:
        pre_migrate.connect(_step_aside, sender=self)
        post_migrate.connect(_put_back, sender=self)


def _step_aside(*, using: str, **kwargs: Any) -> None:
    from . import independence

    independence.step_aside(connections[using])


def _put_back(*, using: str, **kwargs: Any) -> None:
    from . import independence

    independence.put_back(connections[using])
