from django.apps import AppConfig


class CapturesConfig(AppConfig):
    name = "annotator.captures"
    label = "captures"
