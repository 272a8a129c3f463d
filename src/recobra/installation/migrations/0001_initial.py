from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
    ]

    operations = [
        migrations.CreateModel(
            name='BackupRun',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('status', models.CharField(choices=[('RUNNING', 'In progress'), ('DONE', 'Made'), ('FAILED', 'Failed')], default='RUNNING', max_length=7)),
                ('started_at', models.DateTimeField()),
                ('started_by', models.TextField()),
                ('is_scheduled', models.BooleanField(default=False)),
                ('finished_at', models.DateTimeField(null=True)),
                ('path', models.TextField(default='')),
                ('size', models.BigIntegerField(default=0)),
                ('files_count', models.PositiveIntegerField(default=0)),
                ('rows_count', models.BigIntegerField(default=0)),
                ('missing_count', models.PositiveIntegerField(default=0)),
                ('error', models.TextField(default='')),
            ],
            options={
                'ordering': ['-started_at', '-id'],
            },
        ),
    ]
