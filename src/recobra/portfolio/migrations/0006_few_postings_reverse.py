"""That a posting is reversed once is kept by an index of the reversals alone, which are few among all postings.

Checks the reference of the postings anew, under a lock of the table: some 2 s for a million accounts, which then take
14 bytes less each.
"""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("portfolio", "0005_points_by_value")]

    operations = [
        migrations.AlterField(
            model_name="posting",
            name="reverses",
            field=models.ForeignKey(
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="reversals",
                to="portfolio.posting",
            ),
        ),
        migrations.AddConstraint(
            model_name="posting",
            constraint=models.UniqueConstraint(
                condition=models.Q(("reverses__isnull", False)), fields=("reverses",), name="posting_reversed_once"
            ),
        ),
    ]
