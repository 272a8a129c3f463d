from django.db import migrations, models


class Migration(migrations.Migration):
    """One operation may pay many accounts: payments are told apart by all that makes a movement."""

    dependencies = [("payments", "0002_payment_mapping")]

    operations = [
        migrations.RemoveConstraint(model_name="payment", name="payment_reference_once"),
        migrations.AddConstraint(
            model_name="payment",
            constraint=models.UniqueConstraint(
                fields=("portfolio", "reference", "debtor", "account", "amount_minor", "paid_date", "reversed_at"),
                name="payment_movement_once",
                nulls_distinct=False,
            ),
        ),
    ]
