from __future__ import annotations

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from annotator.labeling.states import mermaid


class Command(BaseCommand):
    help = "Write docs/states.md from the transition table."

    def handle(self, *args: Any, **options: Any) -> None:
        path = settings.BASE_DIR / "docs" / "states.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(document(), encoding="utf-8")
        self.stdout.write(str(path))


def document() -> str:
    """The page: the diagram and where it comes from."""
    return (
        "# The states of a task\n\n"
        "Made from `TRANSITIONS` in `annotator/labeling/states.py` by "
        "`python manage.py states_diagram`; a test keeps the two alike.\n\n"
        f"```mermaid\n{mermaid()}\n```\n"
    )
