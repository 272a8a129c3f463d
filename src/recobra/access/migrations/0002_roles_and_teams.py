import django.contrib.postgres.fields
import django.db.models.deletion
import django.db.models.functions.text
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0001_initial'),
        ('auth', '0012_alter_user_first_name_max_length'),
    ]

    operations = [
        migrations.CreateModel(
            name='CompanyRole',
            fields=[
                ('code', models.CharField(max_length=40, primary_key=True, serialize=False)),
                ('name', models.TextField(blank=True)),
                ('rights', django.contrib.postgres.fields.ArrayField(base_field=models.TextField(), null=True, size=None)),
                ('sees_all_portfolios', models.BooleanField(default=False)),
                ('requires_second_factor', models.BooleanField(default=False)),
                ('retired_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='Team',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.TextField()),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.RemoveConstraint(
            model_name='user',
            name='user_role_known',
        ),
        migrations.AddField(
            model_name='user',
            name='must_change_password',
            field=models.BooleanField(default=False),
        ),
        migrations.AddField(
            model_name='user',
            name='session_generation',
            field=models.IntegerField(default=0),
        ),
        migrations.AlterField(
            model_name='user',
            name='role',
            field=models.CharField(default='GESTOR', max_length=40),
        ),
        migrations.AddConstraint(
            model_name='companyrole',
            constraint=models.CheckConstraint(condition=models.Q(('rights__isnull', True), models.Q(('rights__overlap', ['open_portfolios', 'serve']), _negated=True), _connector='OR'), name='role_without_service_rights'),
        ),
        migrations.AddConstraint(
            model_name='companyrole',
            constraint=models.CheckConstraint(condition=models.Q(('code__in', ['GESTOR', 'SUPERVISOR', 'MANAGER', 'ADMINISTRATOR', 'AUDITOR']), models.Q(('rights__isnull', False), models.Q(('name', ''), _negated=True)), _connector='OR'), name='own_role_is_whole'),
        ),
        migrations.AddConstraint(
            model_name='companyrole',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('code__in', ['GESTOR', 'SUPERVISOR', 'MANAGER', 'ADMINISTRATOR', 'AUDITOR']), _negated=True), ('retired_at__isnull', True), _connector='OR'), name='built_in_role_stays'),
        ),
        migrations.AddField(
            model_name='team',
            name='supervisor',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='led_teams', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddField(
            model_name='user',
            name='team',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='members', to='access.team'),
        ),
        migrations.AddConstraint(
            model_name='user',
            constraint=models.CheckConstraint(condition=models.Q(('role', ''), _negated=True), name='user_has_role'),
        ),
        migrations.AddConstraint(
            model_name='team',
            constraint=models.UniqueConstraint(django.db.models.functions.text.Lower('name'), name='team_name_once'),
        ),
        migrations.AddConstraint(
            model_name='team',
            constraint=models.CheckConstraint(condition=models.Q(('name', ''), _negated=True), name='team_has_name'),
        ),
    ]
