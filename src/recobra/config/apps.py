from django.apps import AppConfig


class ConfigConfig(AppConfig):
    name = "recobra.config"
    label = "config"

    def ready(self) -> None:
        """Connect the facts of the journal to their reactions."""
        from recobra.config import reactions  # noqa: PLC0415 - apps must be loaded first

        reactions.connect()
