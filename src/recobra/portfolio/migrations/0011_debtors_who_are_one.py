"""Debtors who look like one, joins of those who are one, and what goes back where a join is undone."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('portfolio', '0010_source_lines'),
    ]

    operations = [
        migrations.CreateModel(
            name='DebtorJoin',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('reason', models.CharField(choices=[('DOCUMENT', 'The document is the same, or one was mistyped'), ('DEBTOR', 'The debtor said so'), ('CREDITOR', 'The creditor confirmed it'), ('OTHER', 'I have compared both, and it is the same person')], max_length=8)),
                ('joined_at', models.DateTimeField()),
                ('joined_by', models.TextField()),
                ('kept_home', models.BigIntegerField(null=True)),
                ('joined_home', models.BigIntegerField(null=True)),
                ('part_reason', models.CharField(blank=True, choices=[('MISTAKE', 'It was a mistake: they are two people'), ('DEBTOR', 'The debtor said so'), ('CREDITOR', 'The creditor confirmed it')], db_default='', default='', max_length=8)),
                ('parted_at', models.DateTimeField(null=True)),
                ('parted_by', models.TextField(db_default='', default='')),
            ],
        ),
        migrations.CreateModel(
            name='DebtorPair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('signs', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=16), size=None)),
                ('weight', models.SmallIntegerField(choices=[(3, 'Nearly sure: the document says so'), (2, 'Likely: two signs agree'), (1, 'Possible: look closely')])),
                ('found_at', models.DateTimeField()),
                ('decision', models.CharField(blank=True, choices=[('', 'Nobody has decided'), ('JOINED', 'The same person'), ('APART', 'Different people')], db_default='', default='', max_length=6)),
                ('decided_at', models.DateTimeField(null=True)),
                ('decided_by', models.TextField(db_default='', default='')),
            ],
        ),
        migrations.CreateModel(
            name='DebtorSurvey',
            fields=[
                ('creditor', models.OneToOneField(on_delete=django.db.models.deletion.PROTECT, primary_key=True, related_name='debtor_survey', serialize=False, to='portfolio.creditor')),
                ('surveyed_at', models.DateTimeField()),
                ('left_out', models.JSONField(default=dict)),
            ],
        ),
        migrations.CreateModel(
            name='JoinedRow',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('model', models.TextField()),
                ('row_id', models.BigIntegerField()),
                ('before', models.JSONField(db_default=models.Value({}, models.JSONField()), default=dict)),
            ],
        ),
        migrations.AddField(
            model_name='debtor',
            name='joined_into',
            field=models.ForeignKey(db_index=False, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='joined', to='portfolio.debtor'),
        ),
        migrations.AddIndex(
            model_name='debtor',
            index=models.Index(condition=models.Q(('joined_into__isnull', False)), fields=['joined_into'], name='debtor_joined'),
        ),
        migrations.AddField(
            model_name='debtorjoin',
            name='joined',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='joins_away', to='portfolio.debtor'),
        ),
        migrations.AddField(
            model_name='debtorjoin',
            name='kept',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='joins', to='portfolio.debtor'),
        ),
        migrations.AddField(
            model_name='debtorpair',
            name='creditor',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='debtor_pairs', to='portfolio.creditor'),
        ),
        migrations.AddField(
            model_name='debtorpair',
            name='first',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='pairs_as_first', to='portfolio.debtor'),
        ),
        migrations.AddField(
            model_name='debtorpair',
            name='second',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pairs_as_second', to='portfolio.debtor'),
        ),
        migrations.AddField(
            model_name='joinedrow',
            name='join',
            field=models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rows', to='portfolio.debtorjoin'),
        ),
        migrations.AddConstraint(
            model_name='debtorjoin',
            constraint=models.UniqueConstraint(condition=models.Q(('parted_at__isnull', True)), fields=('joined',), name='debtor_joined_into_one'),
        ),
        migrations.AddConstraint(
            model_name='debtorjoin',
            constraint=models.CheckConstraint(condition=models.Q(('kept', models.F('joined')), _negated=True), name='debtor_not_joined_to_itself'),
        ),
        migrations.AddIndex(
            model_name='debtorpair',
            index=models.Index(condition=models.Q(('decision', '')), fields=['creditor', '-weight', 'id'], name='debtor_pair_open'),
        ),
        migrations.AddConstraint(
            model_name='debtorpair',
            constraint=models.UniqueConstraint(fields=('first', 'second'), name='debtor_pair_once'),
        ),
        migrations.AddConstraint(
            model_name='debtorpair',
            constraint=models.CheckConstraint(condition=models.Q(('first__lt', models.F('second'))), name='debtor_pair_in_order'),
        ),
        migrations.AddIndex(
            model_name='joinedrow',
            index=models.Index(condition=models.Q(('model', 'portfolio.Debtor')), fields=['row_id'], name='joined_debtor'),
        ),
        migrations.AddConstraint(
            model_name='joinedrow',
            constraint=models.UniqueConstraint(fields=('join', 'model', 'row_id'), name='joined_row_once'),
        ),
    ]
