import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('compliance', '0002_seal_delivery'),
        ('portfolio', '0009_debtor_erased'),
    ]

    operations = [
        migrations.CreateModel(
            name='Closing',
            fields=[
                ('debtor', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='closing', serialize=False, to='portfolio.debtor')),
                ('closed_on', models.DateField()),
                ('blocked_by', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), default=list, size=None)),
            ],
            options={
                'indexes': [models.Index(fields=['closed_on', 'debtor'], name='closing_by_day')],
            },
        ),
        migrations.CreateModel(
            name='RetentionPeriod',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data_class', models.TextField()),
                ('country', models.CharField(blank=True, default='', max_length=2)),
                ('days', models.PositiveIntegerField()),
                ('holds_from', models.DateField()),
                ('reason', models.TextField()),
                ('created_at', models.DateTimeField()),
                ('created_by', models.TextField()),
                ('created_by_id', models.BigIntegerField(null=True)),
            ],
            options={
                'ordering': ['-holds_from', '-id'],
                'constraints': [models.CheckConstraint(condition=models.Q(('days__gt', 0)), name='retention_period_positive')],
            },
        ),
        migrations.CreateModel(
            name='ErasedClass',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data_class', models.TextField()),
                ('erased_at', models.DateTimeField()),
                ('debtor', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='erased_classes', to='portfolio.debtor')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('debtor', 'data_class'), name='class_erased_once')],
            },
        ),
        migrations.CreateModel(
            name='PersonRequest',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('ACCESS', 'A copy of the data'), ('ERASURE', 'Erasure of the data')], max_length=7)),
                ('asked_on', models.DateField()),
                ('note', models.TextField(blank=True, default='')),
                ('recorded_at', models.DateTimeField()),
                ('recorded_by', models.TextField()),
                ('recorded_by_id', models.BigIntegerField(null=True)),
                ('outcome', models.JSONField(default=list)),
                ('digest', models.CharField(blank=True, default='', max_length=64)),
                ('answered_at', models.DateTimeField(null=True)),
                ('answered_by', models.TextField(blank=True, default='')),
                ('debtor', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='requests', to='portfolio.debtor')),
            ],
            options={
                'ordering': ['-recorded_at', '-id'],
                'constraints': [models.UniqueConstraint(condition=models.Q(('answered_at__isnull', True)), fields=('debtor', 'kind'), name='person_request_one_open')],
            },
        ),
    ]
