"""Policies of portfolios as dated versions; the settings that stood on the portfolio become its first version."""

import datetime

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

FROM_THE_BEGINNING = datetime.date.min
CREATED_BY = "migration"
# By number: the least and the most that a policy may state. No form had read them, so anything may be there.
NUMBERS = {"promise_days": (0, 365), "promise_min_minor": (1, 10**15 - 1), "promise_grace_days": (0, 90)}
HOURS = ("people_from", "people_to")
STAGES = ("administrative_from", "extrajudicial_from", "late_from")
FRESHNESS_MAX = 365
LONGEST_NAME = 60
HOLIDAYS_MAX = 366


def clean_name(text):
    """Return a name as a policy may have it: short and of one line."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:LONGEST_NAME]


def build_document(*, freshness_days, waterfall, limits, conversation, holidays):
    """Return the document of a first version: what stood on a portfolio, within what a policy may state.

    An unreadable document would stop every cycle, so that a name or value of no setting is left out.
    """
    document = {"freshness_days": min(freshness_days, FRESHNESS_MAX)}
    if waterfall:
        document["waterfall"] = waterfall
    document |= {name: limits[name] for name in STAGES if name in limits}
    # The first bucket of a policy holds what is not due yet, and nothing else.
    if "buckets" in limits and limits["buckets"][0]["to_days"] == 0:
        document["buckets"] = [
            {"to_days": bucket["to_days"], "name": clean_name(bucket["label_es"])} for bucket in limits["buckets"]
        ]
    for name, (least, most) in NUMBERS.items():
        if conversation.get(name) is not None:
            document[name] = min(max(int(conversation[name]), least), most)
    hours = {name: conversation[name] for name in HOURS if conversation.get(name) is not None}
    if hours.get("people_from", "09:00") < hours.get("people_to", "18:00"):
        document |= hours
    if holidays:
        document["holidays"] = holidays[-HOLIDAYS_MAX:]  # the latest: the first are long past
    return document


def carry_over(apps, _schema_editor):
    """Write the first version of each portfolio from its columns, its attributes and the holidays of its country."""
    policies = apps.get_model("policy", "PortfolioPolicy")
    holidays = {}
    for holiday in apps.get_model("portfolio", "CompanyHoliday").objects.order_by("day"):
        rows = holidays.setdefault(holiday.country, [])
        rows.append({"day": holiday.day.isoformat(), "name": clean_name(holiday.name)})
    for portfolio in apps.get_model("portfolio", "Portfolio").objects.order_by("pk"):
        conversation = portfolio.attributes.pop("conversation", None)
        document = build_document(
            freshness_days=portfolio.freshness_days,
            waterfall=portfolio.waterfall,
            limits=portfolio.limits,
            conversation=conversation or {},
            holidays=holidays.get(portfolio.country, []),
        )
        policies.objects.create(
            portfolio=portfolio,
            effective_from=FROM_THE_BEGINNING,
            document=document,
            created_at=timezone.now(),
            created_by=CREATED_BY,
        )
        if conversation is not None:
            portfolio.save(update_fields=["attributes"])


def build_buckets(rows):
    """Return rows of last days and names as the buckets of a portfolio's limits."""
    buckets = []
    start = None
    for row in rows:
        end = row["to_days"]
        name = row["name"] or f"{start}–{end}"
        label = {"label_en": name, "label_es": name}
        buckets.append({"key": f"d{start}_{end}", "from_days": start, "to_days": end, **label})
        start = None if end is None else end + 1
    return buckets


def carry_back(apps, _schema_editor):
    """Put the settings of each portfolio's last version back on the portfolio; its earlier versions are lost."""
    last = {}
    for version in apps.get_model("policy", "PortfolioPolicy").objects.order_by("effective_from"):
        last[version.portfolio_id] = version.document
    holidays = apps.get_model("portfolio", "CompanyHoliday").objects
    for portfolio in apps.get_model("portfolio", "Portfolio").objects.filter(pk__in=last):
        document = last[portfolio.pk]
        portfolio.freshness_days = document.get("freshness_days", 2)
        portfolio.waterfall = document.get("waterfall", {})
        portfolio.limits = {name: document[name] for name in STAGES if name in document}
        if any(row["name"] for row in document.get("buckets", [])):
            portfolio.limits["buckets"] = build_buckets(document["buckets"])
        conversation = {name: document[name] for name in (*NUMBERS, *HOURS) if name in document}
        if conversation:
            portfolio.attributes = {**portfolio.attributes, "conversation": conversation}
        portfolio.save(update_fields=["freshness_days", "waterfall", "limits", "attributes"])
        for row in document.get("holidays", []):
            holidays.get_or_create(country=portfolio.country, day=row["day"], defaults={"name": row["name"]})


class Migration(migrations.Migration):
    dependencies = [
        ("policy", "0001_initial"),
    ]

    operations = [
        migrations.CreateModel(
            name="PortfolioPolicy",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("effective_from", models.DateField()),
                ("document", models.JSONField()),
                ("created_at", models.DateTimeField()),
                ("created_by", models.TextField()),
                (
                    "portfolio",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="policies",
                        to="portfolio.portfolio",
                    ),
                ),
            ],
            options={
                "ordering": ["portfolio", "effective_from"],
                "constraints": [
                    models.UniqueConstraint(fields=("portfolio", "effective_from"), name="portfolio_policy_once")
                ],
            },
        ),
        migrations.RunPython(carry_over, carry_back),
    ]
