"""What providers say of a template is in its registrations."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("messaging", "0014_template_registrations"),
    ]

    operations = [
        migrations.RemoveField(model_name="template", name="provider_name"),
        migrations.RemoveField(model_name="template", name="provider_status"),
        migrations.RemoveField(model_name="template", name="provider_reference"),
        migrations.RemoveField(model_name="template", name="provider_quality"),
        migrations.RemoveField(model_name="template", name="provider_asked_at"),
    ]
