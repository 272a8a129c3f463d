"""The policy of a portfolio is dated now, in the app `policy`, and so are the company's own holidays."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [
        ("portfolio", "0001_initial"),
        ("policy", "0002_portfolio_policy"),
    ]

    operations = [
        migrations.RemoveField(model_name="portfolio", name="freshness_days"),
        migrations.RemoveField(model_name="portfolio", name="waterfall"),
        migrations.RemoveField(model_name="portfolio", name="limits"),
        migrations.DeleteModel(name="CompanyHoliday"),
    ]
