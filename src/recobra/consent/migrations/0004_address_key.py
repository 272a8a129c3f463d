import recobra.kit.encrypted_field
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('consent', '0003_no_truncate'),
    ]

    operations = [
        migrations.CreateModel(
            name='AddressKey',
            fields=[
                ('id', models.SmallIntegerField(primary_key=True, serialize=False)),
                ('key', recobra.kit.encrypted_field.EncryptedTextField(row='id')),
            ],
            options={
                'constraints': [models.CheckConstraint(condition=models.Q(('id', 1)), name='address_key_is_one')],
            },
        ),
    ]
