from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "annotator.pipeline"
    label = "pipeline"

    def ready(self) -> None:
        from annotator.core import events

        from .table import TABLE

        events.install(TABLE)
