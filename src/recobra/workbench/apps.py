from django.apps import AppConfig


class WorkbenchConfig(AppConfig):
    name = "recobra.workbench"
    label = "workbench"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Let messaging hand visits over to the routes."""
        from recobra.messaging.channels import register_channel  # noqa: PLC0415 - apps must be loaded first

        register_channel("visits", "recobra.workbench.visit_channel.ADAPTER")
