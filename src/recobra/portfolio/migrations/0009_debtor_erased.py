from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0008_no_truncate'),
    ]

    operations = [
        migrations.AddField(
            model_name='debtor',
            name='erased_at',
            field=models.DateTimeField(null=True),
        ),
    ]
