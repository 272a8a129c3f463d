"""Policies of portfolios as dated versions; the settings that stood on the portfolio become its first version."""

import contextlib
import datetime
import re

import django.db.models.deletion
from django.db import migrations, models
from django.utils import timezone

FROM_THE_BEGINNING = datetime.date.min
CREATED_BY = "migration"
# By number: the least and the most that a policy may state. No form had read them, so anything may be there.
NUMBERS = {"promise_days": (0, 365), "promise_min_minor": (1, 10**15 - 1), "promise_grace_days": (0, 90)}
HOURS = ("people_from", "people_to")
# By number: the least, and what holds where it is not stated.
STAGES = {"administrative_from": (1, 1), "extrajudicial_from": (2, 61), "late_from": (1, 91)}
FRESHNESS_MAX = 365
DAYS_MAX = 3_650
BUCKETS_MAX = 50
HOLIDAYS_MAX = 366
LONGEST_NAME = 60
TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")
CONCEPTS = ["FEE", "INTEREST", "LATE_INTEREST", "PRINCIPAL", "TAX"]


def clean_name(text):
    """Return a name as a policy may have it: short and of one line."""
    return "".join(letter for letter in " ".join(text.split()) if letter.isprintable())[:LONGEST_NAME]


def build_document(*, freshness_days, waterfall, limits, conversation, holidays):
    """Return the document of a first version: what stood on a portfolio, within what a policy may state.

    An unreadable document would stop every cycle, so that a name or value of no setting is left out.
    """
    document = {"freshness_days": min(freshness_days, FRESHNESS_MAX)}
    limits = limits if isinstance(limits, dict) else {}
    conversation = conversation if isinstance(conversation, dict) else {}
    if is_order(waterfall):
        document["waterfall"] = waterfall
    stages = {name: limits[name] for name in STAGES if is_day(limits.get(name), STAGES[name][0])}
    starts = {name: stages.get(name, default) for name, (_least, default) in STAGES.items()}
    if starts["administrative_from"] < starts["extrajudicial_from"]:
        document |= stages
    buckets = limits.get("buckets")
    if are_buckets(buckets):
        document["buckets"] = [{"to_days": bucket["to_days"], "name": clean_name(bucket["label_es"])} for bucket in buckets]
    for name, (least, most) in NUMBERS.items():
        with contextlib.suppress(TypeError, ValueError):
            document[name] = min(max(int(conversation.get(name)), least), most)
    hours = {name: conversation[name] for name in HOURS if TIME.fullmatch(str(conversation.get(name)))}
    if hours.get("people_from", "09:00") < hours.get("people_to", "18:00"):
        document |= hours
    if holidays:
        document["holidays"] = holidays[-HOLIDAYS_MAX:]  # the latest: the first are long past
    return document


def is_day(value, least):
    """Tell if a value is a whole number of days."""
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= DAYS_MAX


def is_order(waterfall):
    """Tell if a policy may state an order of application."""
    if not isinstance(waterfall, dict) or waterfall.get("by", "due_date") not in ("due_date", "concept"):
        return False
    orders = [waterfall[name] for name in ("concepts", "in_advance") if waterfall.get(name) is not None]
    if waterfall.get("in_advance") is not None and waterfall.get("by") != "concept":
        return False
    return bool(waterfall) and all(isinstance(each, list) and sorted(map(str, each)) == CONCEPTS for each in orders)


def are_buckets(buckets):
    """Tell if a policy may state some buckets: the first, of what is not due yet, to the last, which has no end."""
    if not isinstance(buckets, list) or not 2 <= len(buckets) <= BUCKETS_MAX:
        return False
    if not all(isinstance(each, dict) and isinstance(each.get("label_es"), str) for each in buckets):
        return False
    first, *others, last = (each.get("to_days") for each in buckets)
    rises = all(is_day(end, before + 1) for before, end in zip([0, *others], others, strict=False) if is_day(before, 0))
    return is_day(first, 0) and first == 0 and last is None and rises


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
            conversation=conversation,
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
