"""Each provider has its own word about a template, and says how many people its number may write to."""

import django.db.models.deletion
from django.db import migrations, models


def move_registrations(apps, _schema_editor):
    """Give what Meta said of each template to the WhatsApp providers, all of one account until now."""
    template_model = apps.get_model("messaging", "Template")
    provider_model = apps.get_model("messaging", "Provider")
    registration_model = apps.get_model("messaging", "TemplateRegistration")
    providers = list(provider_model.objects.filter(kind="whatsapp").values_list("pk", flat=True))
    registered = template_model.objects.exclude(provider_name="").values(
        "pk",
        "provider_name",
        "provider_status",
        "provider_quality",
        "provider_reference",
        "provider_asked_at",
        "created_at",
    )
    rows = [
        registration_model(
            template_id=template["pk"],
            provider_id=provider_id,
            name=template["provider_name"],
            status=template["provider_status"],
            quality=template["provider_quality"],
            reference=template["provider_reference"],
            asked_at=template["provider_asked_at"] or template["created_at"],
        )
        for template in registered
        for provider_id in providers
    ]
    registration_model.objects.bulk_create(rows)


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0013_doubled_contacts"),
    ]

    operations = [
        migrations.CreateModel(
            name="TemplateRegistration",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("name", models.TextField()),
                ("status", models.TextField(db_default="", default="")),
                ("category", models.TextField(db_default="", default="")),
                ("reason", models.TextField(db_default="", default="")),
                ("detail", models.TextField(db_default="", default="")),
                ("quality", models.TextField(db_default="", default="")),
                ("reference", models.TextField(db_default="", default="")),
                ("asked_at", models.DateTimeField()),
                (
                    "provider",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="messaging.provider",
                    ),
                ),
                (
                    "template",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="registrations",
                        to="messaging.template",
                    ),
                ),
            ],
            options={
                "ordering": ["provider__rank", "provider__code", "pk"],
                "indexes": [models.Index(fields=["name"], name="registration_by_name")],
                "constraints": [
                    models.UniqueConstraint(fields=("template", "provider"), name="template_registered_once")
                ],
            },
        ),
        migrations.AddField(
            model_name="provider", name="number_quality", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(
            model_name="provider", name="number_tier", field=models.TextField(db_default="", default="")
        ),
        migrations.AddField(model_name="provider", name="number_asked_at", field=models.DateTimeField(null=True)),
        migrations.RunPython(move_registrations, migrations.RunPython.noop, elidable=True),
    ]
