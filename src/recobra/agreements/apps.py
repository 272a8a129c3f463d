from django.apps import AppConfig


class AgreementsConfig(AppConfig):
    name = "recobra.agreements"
    label = "agreements"
    default_auto_field = "django.db.models.BigAutoField"
