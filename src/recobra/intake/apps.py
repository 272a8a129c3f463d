from django.apps import AppConfig


class IntakeConfig(AppConfig):
    name = "recobra.intake"
    label = "intake"
    default_auto_field = "django.db.models.BigAutoField"
