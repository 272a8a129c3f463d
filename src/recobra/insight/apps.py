from django.apps import AppConfig


class InsightConfig(AppConfig):
    name = "recobra.insight"
    label = "insight"
    default_auto_field = "django.db.models.BigAutoField"
