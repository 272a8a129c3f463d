from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("access", "0005_session")]

    operations = [
        migrations.AlterField(
            model_name="notice",
            name="kind",
            field=models.CharField(
                choices=[
                    ("ADMINISTRATOR_MADE", "A further person manages users"),
                    ("OWN_RIGHTS_RAISED", "Somebody widened his or her own rights"),
                    ("ROLE_CHANGED", "The rights of a role were changed"),
                    ("APPROVER_MADE", "A further person decides about critical changes"),
                    ("ROLE_GIVEN", "Somebody was given another role"),
                    ("LINK_MADE", "A link for a new password was made"),
                    ("PASSWORD_SET", "A password was set on the server"),
                    ("FACTORS_RESET", "Second factors were taken away"),
                    ("ADDRESS_CHANGED", "The e-mail of somebody was changed"),
                    ("SESSIONS_ENDED", "Sessions of somebody were ended"),
                    ("SHUT_OUT", "Somebody was shut out"),
                    ("LET_IN", "Somebody was let in again"),
                ],
                max_length=20,
            ),
        ),
    ]
