from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "recobra.consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the check of silences: messaging may not import this app."""
        from recobra.consent.queries import is_silenced  # noqa: PLC0415 - apps must be loaded first
        from recobra.messaging.silence import register_silence_check  # noqa: PLC0415

        register_silence_check(is_silenced)
