from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('access', '0007_link_notices'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='companyrole',
            name='role_without_service_rights',
        ),
        migrations.AddConstraint(
            model_name='companyrole',
            constraint=models.CheckConstraint(condition=models.Q(('rights__isnull', True), models.Q(('rights__overlap', ['serve']), _negated=True), _connector='OR'), name='role_without_service_rights'),
        ),
    ]
