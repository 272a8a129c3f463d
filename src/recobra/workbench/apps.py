from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "recobra.workbench"
    label = "workbench"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Register the adapter for visits: messaging may not import this app."""
        from recobra.messaging.channels import register_channel  # noqa: PLC0415 - apps must be loaded first

        register_channel("visits", "recobra.workbench.visit_channel.ADAPTER")
