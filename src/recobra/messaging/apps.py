from django.apps import AppConfig


class MessagingConfig(AppConfig):
    name = "recobra.messaging"
    label = "messaging"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register what needs a second person: a template before it is sent."""
        from recobra.approvals.kinds import register_kind  # noqa: PLC0415 - apps must be loaded first
        from recobra.messaging.templates.approval import TEMPLATE  # noqa: PLC0415

        register_kind(TEMPLATE)
