from django.apps import AppConfig


class ConsentConfig(AppConfig):
    name = "recobra.consent"
    label = "consent"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the checks of silences: messaging may not import this app."""
        from recobra.consent.queries import find_digested_silences, is_silenced  # noqa: PLC0415 - apps must be loaded
        from recobra.messaging.silence import register_digest_check, register_silence_check  # noqa: PLC0415

        register_silence_check(is_silenced)
        register_digest_check(find_digested_silences)
