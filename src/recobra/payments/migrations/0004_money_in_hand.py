from django.db import migrations, models


class Migration(migrations.Migration):
    """Money in hand is found by its debtor before anybody is asked for money."""

    dependencies = [("payments", "0003_movements_once")]

    operations = [
        migrations.AddIndex(
            model_name="payment",
            index=models.Index(
                fields=["debtor"],
                condition=models.Q(("reversed_at__isnull", True), ("unapplied_minor__gt", 0)),
                name="payment_in_hand",
            ),
        ),
    ]
