from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("compliance", "0003_retention")]

    operations = [
        migrations.AddField(
            "incident",
            "breach",
            models.TextField(
                choices=[
                    ("hours", "Hours and days"),
                    ("frequency", "How often"),
                    ("channel", "A channel that is not allowed"),
                    ("third_party", "Third parties or the workplace"),
                    ("wish", "An opt-out or a refusal"),
                    ("stopped", "Collection that the law stops"),
                    ("offer", "Advertising"),
                    ("content", "What was said, or the treatment"),
                    ("other", "Other breach"),
                ],
                default="",
            ),
        ),
        migrations.AddField("incident", "fine_most", models.DecimalField(decimal_places=2, max_digits=14, null=True)),
        migrations.AddField("incident", "fine_unit", models.TextField(default="")),
        migrations.AddField("incident", "fine_source", models.TextField(default="")),
    ]
