from django.apps import AppConfig


class SignOnConfig(AppConfig):
    name = "recobra.sign_on"
    label = "sign_on"
    default_auto_field = "django.db.models.BigAutoField"
