"""Of two debtors who are joined both may have a message of one day and channel: the second is marked as doubled."""

from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('messaging', '0012_reply_mailbox'),
        ('portfolio', '0011_debtors_who_are_one'),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name='contact',
            name='contact_one_per_debtor_channel_day',
        ),
        migrations.AddField(
            model_name='contact',
            name='is_doubled',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddConstraint(
            model_name='contact',
            constraint=models.UniqueConstraint(condition=models.Q(('is_doubled', False), ('status__in', ['DUE', 'LEASED', 'SENT', 'UNCERTAIN']), models.Q(('purpose', 'REPLY'), _negated=True)), fields=('debtor', 'channel', 'planned_for'), name='contact_one_per_debtor_channel_day'),
        ),
    ]
