from django.apps import AppConfig


class PipelineConfig(AppConfig):
    name = "annotator.pipeline"
    label = "pipeline"

    def ready(self) -> None:
        from annotator.core import events, jobs, outbox

        from .table import JOBS, TABLE, WORK

        events.install(TABLE)
        jobs.install(JOBS)
        for name, handler in WORK.items():
            outbox.register(name, handler, batch=1)
