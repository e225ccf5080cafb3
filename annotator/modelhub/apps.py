from django.apps import AppConfig


class ModelhubConfig(AppConfig):
    name = "annotator.modelhub"
    label = "modelhub"
