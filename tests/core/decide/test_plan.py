"""One message per person and creditor, by the best way to reach him; who cannot be reached becomes work."""

from types import SimpleNamespace

import ibis
import pytest
from tests.core.decide import builders
from tests.core.decide.builders import TODAY, kept, read

from recobra_core.decide.due import find_due_steps
from recobra_core.decide.plan import plan_contacts, plan_holds, plan_stage_changes, plan_tasks
from recobra_core.decide.reach_preview import count_reach
from recobra_core.decide.strategy import Strategy

STRATEGY = Strategy.parse(
    {
        "code": "plan",
        "name": "Para el plan",
        "steps": [
            {
                "key": "amable",
                "name": "Amable",
                "when": {"dpd": 5},
                "do": {"send": "recordatorio", "by": ["sms", "email"]},
            },
            {"key": "pausa", "name": "Pausa", "when": {"dpd": 6}, "do": {"hold": "cortesia", "days": 2}},
            {
                "key": "llamar",
                "name": "Llamar",
                "when": {"dpd": 30},
                "do": {"task": "llamada", "title": "Llamar", "due_in_days": 2, "queue": "telefonica"},
            },
            {
                "key": "firme",
                "name": "Firme",
                "when": {"dpd": 30},
                "do": {"send": "recordatorio-firme", "by": ["email"]},
            },
            {"key": "etapa", "name": "Pase", "when": {"dpd": 61}, "do": {"stage": "EXTRAJUDICIAL"}},
        ],
    }
)


@pytest.fixture(scope="module")
def engine():
    """DuckDB alone: `test_engines` compares every row of a plan with Spark's."""
    return ibis.duckdb.connect()


@pytest.fixture
def planned(engine):
    """Plan today's contacts for some accounts and contact points."""

    def planning(accounts, points, channels_open=("email", "sms"), templates=("recordatorio", "recordatorio-firme")):
        portfolio = builders.accounts(engine, accounts)
        due = kept(engine, find_due_steps(portfolio, builders.firings(engine, []), STRATEGY, as_of=TODAY))
        plan = plan_contacts(
            due,
            portfolio,
            builders.points(engine, points),
            builders.templates(engine, *templates),
            as_of=TODAY,
            channels_open=channels_open,
        )
        return SimpleNamespace(
            due=due,
            portfolio=portfolio,
            plan=plan,
            candidates=read(engine, plan.candidates),
            items=read(engine, plan.items),
            unreachable=read(engine, plan.unreachable),
        )

    return planning


def test_one_message_with_everything_that_is_due(planned):
    today = planned(
        [{"account_id": 1, "dpd": 7}, {"account_id": 2, "dpd": 35}, {"account_id": 3, "dpd": 35}],
        [{"channel": "email"}],
    )
    (contact,) = today.candidates
    assert (contact["debtor_id"], contact["lead_account_id"], contact["lead_step_key"]) == (1, 2, "firme")
    assert (contact["template_code"], contact["message_class"], contact["account_id"]) == (
        "recordatorio-firme",
        "claim",
        None,
    )
    assert sorted((item["account_id"], item["step_key"]) for item in today.items) == [
        (1, "amable"),
        (2, "firme"),
        (3, "firme"),
    ]
    assert all(item["reachable"] for item in today.items)


def test_two_creditors_speak_for_themselves(planned):
    today = planned([{"account_id": 1}, {"account_id": 2, "creditor_id": 2}], [{"channel": "email"}])
    assert sorted((row["debtor_id"], row["creditor_id"]) for row in today.candidates) == [(1, 1), (1, 2)]
    assert sorted(row["candidate_id"] for row in today.candidates) == [0, 1]


WAYS = [
    ("el primer canal de la lista", [{"channel": "email"}, {"channel": "sms"}], 2),
    ("el siguiente si el primero no es válido", [{"channel": "email"}, {"channel": "sms", "valid": False}], 1),
    ("el siguiente si pidió no recibirlo", [{"channel": "email"}, {"channel": "sms", "opted_out": True}], 1),
    (
        "el siguiente si no se sabe si pidió la baja",
        [{"channel": "email"}, {"channel": "sms", "opted_out": None}],
        1,
    ),
    ("el siguiente si no se sabe si es válido", [{"channel": "email"}, {"channel": "sms", "valid": None}], 1),
    ("el de mejor calidad", [{"quality": 10}, {"quality": 90}, {"quality": None}], 2),
    ("a igual calidad, el preferido", [{"quality": 5, "rank": 2}, {"quality": 5, "rank": 1}], 2),
    ("el canal que la persona prefiere", [{"channel": "sms"}, {"channel": "email", "preferred": True}], 2),
    (
        "otro que el preferido si por él no se llega",
        [{"channel": "sms"}, {"channel": "email", "preferred": True, "valid": False}],
        1,
    ),
    ("a igualdad, siempre el mismo", [{"contact_point_id": 9}, {"contact_point_id": 4}], 4),
    ("nunca un canal que el paso no nombra", [{"channel": "whatsapp", "quality": 99}, {"channel": "email"}], 2),
    ("nunca el de otra persona", [{"debtor_id": 2, "quality": 99}, {"channel": "email"}], 2),
]


def test_the_way_to_reach_a_person(planned):
    """Each story has a person of its own, with contact points a hundred apart from the next one's."""
    people = range(1, len(WAYS) + 1)
    points = [
        point
        | {"debtor_id": person + 1_000 * (point.get("debtor_id", 1) - 1)}
        | {"contact_point_id": 100 * person + point.get("contact_point_id", at)}
        for person, (_story, told, _chosen) in zip(people, WAYS, strict=True)
        for at, point in enumerate(told, start=1)
    ]
    today = planned([{"account_id": person, "debtor_id": person, "dpd": 7} for person in people], points)
    ways = {row["debtor_id"]: row["contact_point_id"] - 100 * row["debtor_id"] for row in today.candidates}
    assert len(today.candidates) == len(WAYS)
    told = {story: ways.get(person) for person, (story, _points, _chosen) in zip(people, WAYS, strict=True)}
    assert told == {story: chosen for story, _points, chosen in WAYS}


@pytest.mark.parametrize(
    ("arguments", "people"),
    [
        (
            {},
            [
                ([], "no_point"),
                ([{"channel": "letter"}], "no_point"),
                ([{"valid": False}], "point_not_valid"),
                ([{"valid": False}, {"opted_out": True}], "opted_out"),
            ],
        ),
        ({"channels_open": ("email",)}, [([{"channel": "sms"}], "channel_not_open")]),
        ({"channels_open": ()}, [([{"channel": "sms"}], "channel_not_open")]),
        ({"templates": ("otra",)}, [([{"channel": "sms"}], "no_template")]),
    ],
)
def test_who_cannot_be_reached_is_work_for_a_person(planned, arguments, people):
    numbered = list(enumerate(people, start=1))
    accounts = [{"account_id": number, "debtor_id": number, "dpd": 7} for number, _person in numbered]
    points = [{**point, "debtor_id": number} for number, (told, _reason) in numbered for point in told]
    today = planned(accounts, points, **arguments)
    assert today.candidates == []
    assert sorted((row["debtor_id"], row["lead_step_key"], row["reason"]) for row in today.unreachable) == [
        (number, "amable", reason) for number, (_points, reason) in numbered
    ]
    assert [(item["step_key"], item["reachable"]) for item in today.items] == [("amable", False)] * len(people)


def test_what_is_not_a_message_goes_its_own_way(engine, planned):
    due = planned([{"account_id": 1, "dpd": 70}, {"account_id": 2, "dpd": 3}], []).due
    (task,) = read(engine, plan_tasks(due))
    assert (task["account_id"], task["kind"], task["title"], task["queue"], task["due_in_days"]) == (
        1,
        "llamada",
        "Llamar",
        "telefonica",
        2,
    )
    (change,) = read(engine, plan_stage_changes(due))
    assert (change["account_id"], change["stage"], change["step_key"]) == (1, "EXTRAJUDICIAL", "etapa")
    (hold,) = read(engine, plan_holds(due))
    assert (hold["account_id"], hold["reason"], hold["days"]) == (1, "cortesia", 2)


def test_how_many_would_be_touched_today(engine, planned):
    today = planned(
        [
            {"account_id": 1, "dpd": 7, "overdue_minor": 100},
            {"account_id": 2, "dpd": 7, "overdue_minor": 20},
            {"account_id": 3, "debtor_id": 2, "dpd": 7, "overdue_minor": 3},
            {"account_id": 4, "debtor_id": 3, "dpd": 7, "overdue_minor": 5, "currency": "USD"},
        ],
        [{"channel": "email"}, {"debtor_id": 3, "channel": "sms"}],
    )
    counted = read(engine, count_reach(today.due, today.portfolio, today.plan))
    names = ("step_key", "channel", "currency", "accounts", "debtors", "amount_minor")
    assert {tuple(row[name] for name in names) for row in counted} == {
        ("amable", "email", "PEN", 2, 1, 120),
        ("amable", "unreachable", "PEN", 1, 1, 3),
        ("amable", "sms", "USD", 1, 1, 5),
        ("pausa", None, "PEN", 3, 2, 123),
        ("pausa", None, "USD", 1, 1, 5),
    }
