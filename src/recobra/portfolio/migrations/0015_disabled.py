from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0014_parties_by_people'),
    ]

    operations = [
        migrations.AddField(
            model_name='creditor',
            name='disable_reason',
            field=models.CharField(blank=True, choices=[('MANDATE_ENDED', 'The mandate ended'), ('CREDITOR_ASKED', 'The creditor asked to stop'), ('COMPANY_DECIDED', 'The company decided to stop'), ('MISTAKE', 'It was opened by mistake')], db_default='', default='', max_length=16),
        ),
        migrations.AddField(
            model_name='creditor',
            name='disabled_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='portfolio',
            name='disable_reason',
            field=models.CharField(blank=True, choices=[('MANDATE_ENDED', 'The mandate ended'), ('CREDITOR_ASKED', 'The creditor asked to stop'), ('COMPANY_DECIDED', 'The company decided to stop'), ('MISTAKE', 'It was opened by mistake')], db_default='', default='', max_length=16),
        ),
        migrations.AddField(
            model_name='portfolio',
            name='disabled_at',
            field=models.DateTimeField(null=True),
        ),
    ]
