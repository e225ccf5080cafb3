from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db import connections
from django.db.models.signals import post_migrate


class CoreConfig(AppConfig):
    name = "annotator.core"
    label = "core"

    def ready(self) -> None:
        post_migrate.connect(_put_triggers_back, sender=self)


def _put_triggers_back(*, using: str, **kwargs: Any) -> None:
    from . import append_only

    append_only.put_back(connections[using])
