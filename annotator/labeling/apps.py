from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class LabelingConfig(AppConfig):
    name = "annotator.labeling"
    label = "labeling"

    def ready(self) -> None:
        post_migrate.connect(_put_counting_back, sender=self)


def _put_counting_back(*, using: str, **kwargs: Any) -> None:
    from . import counting

    counting.put_back(connections[using])
