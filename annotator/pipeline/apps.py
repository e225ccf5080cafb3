from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "annotator.pipeline"
    label = "pipeline"

    def ready(self) -> None:
        from annotator.core import events, jobs

        from .table import JOBS, TABLE

        events.install(TABLE)
        jobs.install(JOBS)
