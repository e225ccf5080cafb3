from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from annotator.accounts.cli import SiteCommand
from annotator.labeling.models import Task
from annotator.quality import services, summaries


class Command(SiteCommand):
    help = "Make the quality figures of a project anew from its answers and decisions."
    wants_project = True

    def run(self, **options: Any) -> Mapping[str, Any]:
        project = self.project(options)
        total = Task.objects.filter(project=project).count()
        done = services.rebuild(project, self.progress(total, "tasks"))
        summaries.summarise(project)
        return {"project": project.slug, "tasks": done}
